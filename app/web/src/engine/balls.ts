/**
 * A norm as an attack sees it: a random start, the steepest direction, the way back, a length.
 *
 * Each function takes the perturbation of one picture, float32 in pixel units, and makes a new one.
 */

import type { Norm } from "../manifest";
import { largestOf, normalNumber } from "./numbers";

export interface Ball {
  /** A random point of the ball. */
  start(length: number, epsilon: number, uniform: () => number): Float32Array;
  /** A gradient to the steepest move of length 1. */
  direction(gradient: Float32Array): Float32Array;
  /** A perturbation to the nearest point of the ball. */
  project(perturbation: Float32Array, epsilon: number): Float32Array;
  length(perturbation: Float32Array): number;
}

function euclidean(values: Float32Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}

function largestSize(values: Float32Array): number {
  return largestOf(values.map(Math.abs));
}

/** Of length 1, however short; zero where the values are. */
function unit(values: Float32Array): Float32Array {
  // The largest entry first: the squares of a confident network's gradient would underflow.
  const largest = largestSize(values) || 1;
  const scaled = values.map((value) => value / largest);
  const length = Math.max(euclidean(scaled), 1);
  return scaled.map((value) => value / length);
}

const linf: Ball = {
  start: (length, epsilon, uniform) =>
    new Float32Array(length).map(() => (2 * uniform() - 1) * epsilon),
  direction: (gradient) => gradient.map(Math.sign),
  project: (perturbation, epsilon) =>
    perturbation.map((value) => Math.min(Math.max(value, -epsilon), epsilon)),
  length: largestSize,
};

const l2: Ball = {
  start(length, epsilon, uniform) {
    // A normal direction with radius u^(1/d) is uniform in the ball of dimension d.
    const direction = unit(new Float32Array(length).map(() => normalNumber(uniform)));
    const radius = uniform() ** (1 / length) * epsilon;
    return direction.map((value) => value * radius);
  },
  direction: unit,
  project(perturbation, epsilon) {
    const length = euclidean(perturbation);
    return length > epsilon
      ? perturbation.map((value) => value * (epsilon / length))
      : perturbation.slice();
  },
  length: euclidean,
};

export const BALLS: Record<Norm, Ball> = { linf, l2 };
