/** Maps and perturbations as colours; where a map lies, for those who do not see it. */

import type { MapOfBranch } from "./findings";
import type { Levels } from "./levels";
import { largestOf, quantile } from "./numbers";

/** Share of values that a scale reaches: beside a few outliers the rest would not be seen. */
const REACH = 0.99;
/** A map of few cells has no outliers. */
const FEW_CELLS = 1000;

/** Viridis at equal distances. */
const VIRIDIS = [
  [68, 1, 84],
  [72, 40, 120],
  [62, 73, 137],
  [49, 104, 142],
  [38, 130, 142],
  [31, 158, 137],
  [53, 183, 121],
  [110, 206, 88],
  [181, 222, 43],
  [253, 231, 37],
];

/** @param share In [0, 1]. */
export function viridis(share: number): number[] {
  const place = Math.min(Math.max(share, 0), 1) * (VIRIDIS.length - 1);
  const below = Math.min(Math.floor(place), VIRIDIS.length - 2);
  return VIRIDIS[below].map(
    (level, channel) => level + (place - below) * (VIRIDIS[below + 1][channel] - level),
  );
}

/** A map spread to size × size by linear interpolation between the centres of its cells. */
export function spread({ rows, columns, values }: MapOfBranch, size: number): Float32Array {
  if (rows === size && columns === size) return values;
  const along = (position: number, cells: number) => {
    const place = Math.max(((position + 0.5) * cells) / size - 0.5, 0);
    const low = Math.min(Math.floor(place), cells - 1);
    return { low, high: Math.min(low + 1, cells - 1), share: place - low };
  };
  const across = Array.from({ length: size }, (_, x) => along(x, columns));
  const wide = new Float32Array(size * size);
  for (let y = 0; y < size; y++) {
    const down = along(y, rows);
    for (const [x, { low, high, share }] of across.entries()) {
      const at = (row: number) =>
        values[row * columns + low] * (1 - share) + values[row * columns + high] * share;
      wide[y * size + x] = at(down.low) * (1 - down.share) + at(down.high) * down.share;
    }
  }
  return wide;
}

/** The colour of a share of a map over a grey: the more there is, the less of the grey. */
export function overGrey(grey: number, share: number): number[] {
  const opacity = Math.min(1.2 * share, 0.85);
  return viridis(share).map((level) => grey + opacity * (level - grey));
}

/** The picture in grey with a map over it. */
export function paintMap(picture: Levels, map: MapOfBranch, end: number, size: number): Levels {
  const area = size * size;
  const values = spread(map, size);
  const painted = new Uint8Array(3 * area);
  for (let cell = 0; cell < area; cell++) {
    const [red, green, blue] = [0, 1, 2].map((channel) => picture[channel * area + cell]);
    const grey = 0.8 * (0.299 * red + 0.587 * green + 0.114 * blue) + 25;
    const share = end > 0 ? Math.min(values[cell] / end, 1) : 0;
    for (const [channel, level] of overGrey(grey, share).entries()) {
      painted[channel * area + cell] = level;
    }
  }
  return painted;
}

/** How many times nearly all of the changes fit between middle grey and white. */
export function amplification(perturbed: Levels, clean: Levels): number {
  const sizes = Float32Array.from(perturbed, (level, index) => Math.abs(level - clean[index]));
  const changed = sizes.filter((size) => size > 0);
  return changed.length ? Math.max(1, Math.floor(127 / quantile(changed, REACH))) : 1;
}

/** The end of the one colour scale of several maps, and their largest value. */
export function scaleOf(maps: MapOfBranch[]): { end: number; largest: number } {
  const largest = Math.max(0, ...maps.map((map) => largestOf(map.values)));
  if (!maps.some((map) => map.values.length > FEW_CELLS)) return { end: largest, largest };
  const values = maps.flatMap((map) => Array.from(map.values));
  return { end: quantile(Float32Array.from(values), REACH) || largest, largest };
}

/** Of the scale's end. */
const FAINT = 0.3;

/** Whether a map hardly shows on a scale that ends there. */
export function isFaint({ values }: MapOfBranch, end: number): boolean {
  return largestOf(values) < FAINT * end;
}

/** The change around middle grey, amplified. */
export function paintChange(perturbed: Levels, clean: Levels, times: number): Levels {
  return perturbed.map((level, index) =>
    Math.min(Math.max(128 + times * (level - clean[index]), 0), 255),
  );
}

/** Which ninth of the picture holds most of a map, and its share; null for an empty map. */
export function mainPlace(map: MapOfBranch): { row: number; column: number; share: number } | null {
  const ninths = new Float32Array(9);
  let total = 0;
  const { rows, columns, values } = map;
  for (let index = 0; index < values.length; index++) {
    const row = Math.floor((3 * (Math.floor(index / columns) + 0.5)) / rows);
    const column = Math.floor((3 * ((index % columns) + 0.5)) / columns);
    ninths[3 * row + column] += values[index];
    total += values[index];
  }
  if (total <= 0) return null;
  const best = ninths.indexOf(Math.max(...ninths));
  return { row: Math.floor(best / 3), column: best % 3, share: ninths[best] / total };
}
