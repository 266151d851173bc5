/** FGSM, PGD and noise as one loop, equal to advprop_core/attacks/gradient.py. */

import type { Norm, Settings } from "../manifest";
import { BALLS } from "./balls";
import { uniformNumbers } from "./numbers";

const LARGEST_STEP: Record<Norm, number> = { linf: 1, l2: 1000 };

export interface Walk {
  norm: Norm;
  /** Radius and move per step, in pixel units on [0, 1]. */
  epsilon: number;
  stepSize: number;
  steps: number;
  /** The perturbation to start from; null for the clean picture. */
  start: Float32Array | null;
  /** Lower the loss, as an attack with a target does, instead of raising it. */
  descend: boolean;
}

/** What the settings ask for, on a picture of so many values. */
export function walkFrom(settings: Settings, length: number, seed = 0): Walk {
  const { attack, norm, epsilon } = settings;
  const steps = { pgd: settings.steps, fgsm: 1, noise: 0, none: 0 }[attack];
  const stepSize =
    attack === "pgd" ? Math.min((2.5 * epsilon) / steps, LARGEST_STEP[norm]) : epsilon;
  const isRandom = attack === "pgd" || attack === "noise";
  const start = isRandom ? BALLS[norm].start(length, epsilon, uniformNumbers(seed)) : null;
  return { norm, epsilon, stepSize, steps, start, descend: settings.target !== null };
}

/**
 * The pixels of the start and of each step, float32 in [0, 1], as they are reached.
 *
 * @param clean Pixels in [0, 1].
 * @param gradient From pixels to the gradient of the loss; what it throws ends the walk.
 */
export async function* walkPixels(
  clean: Float32Array,
  walk: Walk,
  gradient: (pixels: Float32Array) => Promise<Float32Array>,
): AsyncGenerator<Float32Array> {
  const ball = BALLS[walk.norm];
  const stepSize = walk.descend ? -walk.stepSize : walk.stepSize;
  const inBall = (perturbation: Float32Array) =>
    ball
      .project(perturbation, walk.epsilon)
      .map((value, index) => Math.min(Math.max(clean[index] + value, 0), 1));
  let pixels = walk.start ? inBall(walk.start) : clean.slice();
  yield pixels;
  for (let step = 0; step < walk.steps; step++) {
    const direction = ball.direction(await gradient(pixels));
    pixels = inBall(
      direction.map((value, index) => pixels[index] + stepSize * value - clean[index]),
    );
    yield pixels;
  }
}
