/** Pictures as 8-bit levels: what a PNG holds, and so what every answer on the page is about. */

import type { Norm } from "../manifest";

/** Levels 0..255, channel by channel (3, size, size). */
export type Levels = Uint8Array<ArrayBuffer>;

const STRETCH = 4;
const HALVINGS = 24;

export function toPixels(levels: Levels): Float32Array {
  return Float32Array.from(levels, (level) => level / 255);
}

/**
 * The perturbed picture in 8 bits, inside the ball around the clean one.
 *
 * Plain rounding may leave the ball. In L∞ it is cut at the last whole level inside. In L2 most
 * changes are shorter than half a level and would be lost, so the perturbation is stretched or
 * shrunk until its rounded length is as long as the ball allows.
 */
export function roundInBall(
  pixels: Float32Array,
  clean: Levels,
  norm: Norm,
  epsilon: number,
): Levels {
  const changes = pixels.map((value, index) => 255 * value - clean[index]);
  const radius = 255 * epsilon + 1e-4;
  if (norm === "linf") return moved(clean, changes, 1, Math.floor(radius));
  let [inside, outside] = [0, STRETCH];
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = (inside + outside) / 2;
    const isInside = levelLength(moved(clean, changes, middle, 255), clean) <= radius;
    [inside, outside] = isInside ? [middle, outside] : [inside, middle];
  }
  return moved(clean, changes, inside, 255);
}

function moved(clean: Levels, changes: Float32Array, scale: number, most: number): Levels {
  return clean.map((level, index) => {
    const change = Math.min(Math.max(Math.round(scale * changes[index]), -most), most);
    return Math.min(Math.max(level + change, 0), 255);
  });
}

function levelLength(levels: Levels, clean: Levels): number {
  let sum = 0;
  for (let index = 0; index < levels.length; index++) sum += (levels[index] - clean[index]) ** 2;
  return Math.sqrt(sum);
}

/** How far apart two pictures are: in 255ths (L∞) and in pixel units (L2), and their range. */
export interface Measured {
  linf: number;
  l2: number;
  lowest: number;
  highest: number;
}

export function measure(levels: Levels, clean: Levels): Measured {
  let [linf, lowest, highest] = [0, 255, 0];
  for (let index = 0; index < levels.length; index++) {
    linf = Math.max(linf, Math.abs(levels[index] - clean[index]));
    lowest = Math.min(lowest, levels[index]);
    highest = Math.max(highest, levels[index]);
  }
  return { linf, l2: levelLength(levels, clean) / 255, lowest, highest };
}
