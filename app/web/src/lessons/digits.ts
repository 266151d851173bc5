/** Threes and sevens of 8 × 8 pixels, and logistic regressions of them; as advprop_core/attacks/digits.py. */

import { bytesOf } from "../engine/assets";
import type { Levels } from "../engine/levels";
import { largestOf } from "../engine/numbers";
import type { DigitImages, Digits, LinearModel } from "../manifest";

export interface Digit {
  /** Row by row, in [0, 1]. */
  pixels: Float32Array;
  /** 1 for a seven, −1 for a three. */
  sign: number;
}

export function readDigits({ pixels, signs }: DigitImages, { side, levels }: Digits): Digit[] {
  const area = side * side;
  const values = bytesOf(pixels);
  return Array.from(new Int8Array(bytesOf(signs).buffer), (sign, index) => ({
    pixels: Float32Array.from(
      values.subarray(index * area, (index + 1) * area),
      (level) => level / levels,
    ),
    sign,
  }));
}

/** How far on the side of the sevens. */
export function marginOf({ weight, bias }: LinearModel, pixels: ArrayLike<number>): number {
  return weight.reduce((sum, value, index) => sum + value * pixels[index], bias);
}

/** One FGSM step through the model, away from the right answer; in [0, 1]. */
export function fooled(model: LinearModel, { pixels, sign }: Digit, epsilon: number): Float32Array {
  return pixels.map((value, index) => {
    const moved = value - epsilon * sign * Math.sign(model.weight[index]);
    return Math.min(Math.max(moved, 0), 1);
  });
}

export function isRight(model: LinearModel, pixels: ArrayLike<number>, sign: number): boolean {
  return marginOf(model, pixels) * sign > 0;
}

/** Share of digits that the model is right about after FGSM through itself. */
export function accuracyOf(model: LinearModel, digits: readonly Digit[], epsilon: number): number {
  const right = digits.filter((digit) => isRight(model, fooled(model, digit, epsilon), digit.sign));
  return right.length / digits.length;
}

const ROUNDS = 400;
const RATE = 0.5;
const PENALTY = 1e-3;

/** Minimises the mean loss on clean digits, and a small penalty, by gradient descent. */
export function fit(digits: readonly Digit[], signs: readonly number[]): LinearModel {
  const weight = new Array<number>(digits[0].pixels.length).fill(0);
  const model = { weight, bias: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    const slope = weight.map((value) => PENALTY * value);
    let biasSlope = 0;
    for (const [index, { pixels }] of digits.entries()) {
      const sign = signs[index];
      const pull = -sign / (1 + Math.exp(sign * marginOf(model, pixels))) / digits.length;
      for (let cell = 0; cell < weight.length; cell++) slope[cell] += pull * pixels[cell];
      biasSlope += pull;
    }
    for (let cell = 0; cell < weight.length; cell++) weight[cell] -= RATE * slope[cell];
    model.bias -= RATE * biasSlope;
  }
  return model;
}

/** Ink on paper: dark where a pixel is 1. */
export function inkLevels(pixels: ArrayLike<number>): Levels {
  const area = pixels.length;
  return Uint8Array.from({ length: 3 * area }, (_, index) => 255 * (1 - pixels[index % area]));
}

const [BLUE, ORANGE] = [
  [0, 114, 178],
  [213, 94, 0],
];

/** Blue, white, orange. */
export const SIGNED_COLOURS = [BLUE, [255, 255, 255], ORANGE].map(
  (colour) => `rgb(${colour.join(" ")})`,
);

/** Signed values: orange where positive, blue where negative, white at 0. */
export function signedLevels(values: ArrayLike<number>, end?: number): Levels {
  const area = values.length;
  const most = end ?? (largestOf(Array.from(values, Math.abs)) || 1);
  return Uint8Array.from({ length: 3 * area }, (_, index) => {
    const value = values[index % area];
    const colour = value < 0 ? BLUE : ORANGE;
    const share = Math.min(Math.abs(value) / most, 1);
    return 255 + share * (colour[Math.floor(index / area)] - 255);
  });
}

/** Spearman's rank correlation, in [−1, 1]; 0 where one of them is constant. */
export function rankCorrelation(first: ArrayLike<number>, second: ArrayLike<number>): number {
  const [a, b] = [ranksOf(first), ranksOf(second)];
  const middle = (a.length - 1) / 2;
  const product = (x: number[], y: number[]) =>
    x.reduce((sum, value, index) => sum + (value - middle) * (y[index] - middle), 0);
  const lengths = Math.sqrt(product(a, a) * product(b, b));
  return lengths > 0 ? product(a, b) / lengths : 0;
}

/** Ranks from 0; equal values share the mean of theirs. */
function ranksOf(values: ArrayLike<number>): number[] {
  const order = Array.from({ length: values.length }, (_, i) => i).sort(
    (i, j) => values[i] - values[j],
  );
  const ranks = new Array<number>(values.length);
  for (let start = 0; start < order.length; ) {
    let stop = start + 1;
    while (stop < order.length && values[order[stop]] === values[order[start]]) stop++;
    for (let place = start; place < stop; place++) ranks[order[place]] = (start + stop - 1) / 2;
    start = stop;
  }
  return ranks;
}
