/** Pictures to learn from, in seeded order and turned, and those to be measured on. */

import { shuffled, uniformNumbers } from "../engine/numbers";
import type { TrainingPlan } from "../manifest";

/** All pictures, one after the other. */
export interface PictureSet {
  /** (pictures, 3, size, size), 0 to 255. */
  levels: Uint8Array;
  /** The class of each. */
  labels: number[];
}

export interface Batch {
  /** (pictures, 3, size, size) in [0, 1]. */
  pixels: Float32Array;
  /** (pictures, classes). */
  oneHot: Float32Array;
}

/** What a sheet's pictures are, by the plan that describes it. */
export function splitSheet(
  levels: Uint8Array,
  { network, pictures }: TrainingPlan,
): { train: PictureSet; validation: PictureSet } {
  const start = pictures.train.length * 3 * network.size ** 2;
  return {
    train: { levels: levels.subarray(0, start), labels: pictures.train },
    validation: { levels: levels.subarray(start), labels: pictures.validation },
  };
}

export function oneHotOf(labels: readonly number[], classes: number): Float32Array {
  const oneHot = new Float32Array(labels.length * classes);
  for (const [place, label] of labels.entries()) oneHot[place * classes + label] = 1;
  return oneHot;
}

/** A set as one batch, upright. */
export function wholeBatch({ levels, labels }: PictureSet, classes: number): Batch {
  return {
    pixels: Float32Array.from(levels, (level) => level / 255),
    oneHot: oneHotOf(labels, classes),
  };
}

/** Batches of a set without end: each picture once before any comes again, each turned anew. */
export class Batches {
  readonly #uniform: () => number;
  #order: number[] = [];

  constructor(
    readonly set: PictureSet,
    readonly size: number,
    readonly classes: number,
    seed: number,
  ) {
    this.#uniform = uniformNumbers(seed);
  }

  next(count: number): Batch {
    if (this.#order.length < count) {
      this.#order = shuffled(Array.from(this.set.labels.keys()), this.#uniform);
    }
    const chosen = this.#order.splice(0, count);
    const length = 3 * this.size ** 2;
    const pixels = new Float32Array(count * length);
    for (const [place, index] of chosen.entries()) {
      const picture = this.set.levels.subarray(index * length, (index + 1) * length);
      turn(picture, this.size, Math.floor(8 * this.#uniform()), pixels, place * length);
    }
    return {
      pixels,
      oneHot: oneHotOf(
        chosen.map((index) => this.set.labels[index]),
        this.classes,
      ),
    };
  }

  /** Uniform numbers in [−1, 1]: where in its ball each attack starts. */
  noise(length: number): Float32Array {
    return Float32Array.from({ length }, () => 2 * this.#uniform() - 1);
  }
}

/**
 * Writes a picture in [0, 1], turned and mirrored: a scene has no side that must be up.
 *
 * @param way 0 to 7: bit 0 mirrors left and right, bit 1 top and bottom, bit 2 exchanges the axes.
 */
export function turn(
  levels: Uint8Array,
  size: number,
  way: number,
  target: Float32Array,
  start: number,
): void {
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const x = way & 1 ? size - 1 - column : column;
      const y = way & 2 ? size - 1 - row : row;
      const from = way & 4 ? x * size + y : y * size + x;
      const to = start + row * size + column;
      for (let channel = 0; channel < 3; channel++) {
        const area = channel * size * size;
        target[to + area] = levels[from + area] / 255;
      }
    }
  }
}
