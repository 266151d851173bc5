/** Trains the tiny network: its tensors, step after step, and how good it is. */

import { normalNumber, uniformNumbers } from "../engine/numbers";
import type { Objective, TrainingPlan } from "../manifest";
import { Batches, type PictureSet, wholeBatch } from "./batches";
import type { Run, Values } from "./runner";
import { channelCount } from "./statistics";

export interface TrainingSettings {
  objective: Objective;
  /** L∞ radius in pixel units, of the attack that it learns from and is measured by. */
  epsilon: number;
  seed: number;
}

export interface StepResult {
  /** Of each kind of input: clean, then adversarial. */
  losses: Float32Array;
  /** (kinds, 2, channels): mean and variance that the norm layers met in each kind alone. */
  statistics: Float32Array;
}

/** Shares of right answers in [0, 1]; the attack goes through the branch itself. */
export interface Accuracy {
  clean: number;
  adversarial: number;
}

/** Steps until the learning rate is at its highest. */
const WARM_UP = 20;

export class TrainingLoop {
  readonly branches: string[];
  readonly channels: number;
  step = 0;
  weights: Float32Array;
  /** (branches, 4, channels): γ, β, running mean and running variance. */
  norms: Float32Array;
  #weightVelocity: Float32Array;
  #normVelocity: Float32Array;
  readonly #batches: Batches;
  readonly #validation: Record<"pixels" | "class_one_hot", Values>;

  constructor(
    readonly plan: TrainingPlan,
    readonly settings: TrainingSettings,
    pictures: { train: PictureSet; validation: PictureSet },
    readonly runs: { step: Run; evaluate: Run },
  ) {
    const { size, classes } = plan.network;
    this.branches = plan.objectives[settings.objective].branches;
    this.channels = channelCount(plan);
    this.weights = startWeights(plan, settings.seed);
    this.norms = startNorms(this.branches.length, this.channels);
    this.#weightVelocity = new Float32Array(this.weights.length);
    this.#normVelocity = new Float32Array(this.branches.length * 2 * this.channels);
    this.#batches = new Batches(pictures.train, size, classes.length, settings.seed + 1);
    const { pixels, oneHot } = wholeBatch(pictures.validation, classes.length);
    this.#validation = this.#pictureValues(pixels, oneHot);
  }

  get isFinished(): boolean {
    return this.step >= this.plan.steps;
  }

  async next(): Promise<StepResult> {
    const { plan, channels, branches } = this;
    const { pixels, oneHot } = this.#batches.next(plan.batch);
    const inputs = this.#pictureValues(pixels, oneHot);
    const outputs = await this.runs.step({
      weights: flat(this.weights),
      weight_velocity: flat(this.#weightVelocity),
      norms: { data: this.norms, shape: [branches.length, 4, channels] },
      norm_velocity: { data: this.#normVelocity, shape: [branches.length, 2, channels] },
      ...inputs,
      noise: { data: this.#batches.noise(pixels.length), shape: inputs.pixels.shape },
      epsilon: flat([this.settings.epsilon]),
      learning_rate: flat([learningRate(this.step, plan)]),
    });
    this.weights = outputs.new_weights;
    this.#weightVelocity = outputs.new_weight_velocity;
    this.norms = outputs.new_norms;
    this.#normVelocity = outputs.new_norm_velocity;
    this.step += 1;
    return { losses: outputs.losses, statistics: outputs.statistics };
  }

  /** On pictures that it does not learn from, for each branch. */
  async evaluate(): Promise<Record<string, Accuracy>> {
    const accuracies: Record<string, Accuracy> = {};
    const length = 4 * this.channels;
    for (const [index, branch] of this.branches.entries()) {
      const norm = this.norms.slice(index * length, (index + 1) * length);
      const { hits } = await this.runs.evaluate({
        weights: flat(this.weights),
        norm: { data: norm, shape: [4, this.channels] },
        ...this.#validation,
        epsilon: flat([this.settings.epsilon]),
      });
      accuracies[branch] = { clean: hits[0], adversarial: hits[1] };
    }
    return accuracies;
  }

  #pictureValues(
    pixels: Float32Array,
    oneHot: Float32Array,
  ): Record<"pixels" | "class_one_hot", Values> {
    const { size, classes } = this.plan.network;
    const count = oneHot.length / classes.length;
    return {
      pixels: { data: pixels, shape: [count, 3, size, size] },
      class_one_hot: { data: oneHot, shape: [count, classes.length] },
    };
  }
}

function flat(values: ArrayLike<number>): Values {
  return { data: Float32Array.from(values), shape: [values.length] };
}

/** Rises along a line, then falls along half a cosine to 0. */
export function learningRate(step: number, { steps, learning_rate }: TrainingPlan): number {
  const rise = Math.min(1, (step + 1) / WARM_UP);
  return learning_rate * rise * 0.5 * (1 + Math.cos((Math.PI * step) / steps));
}

function startWeights({ weights }: TrainingPlan, seed: number): Float32Array {
  const uniform = uniformNumbers(seed);
  return Float32Array.from(
    weights.flatMap(({ entries, deviation }) =>
      Array.from({ length: entries }, () => deviation * normalNumber(uniform)),
    ),
  );
}

/** γ and the running variance start at 1, β and the running mean at 0. */
function startNorms(branches: number, channels: number): Float32Array {
  const starts = [1, 0, 0, 1];
  return Float32Array.from(
    { length: branches * 4 * channels },
    (_, place) => starts[Math.floor(place / channels) % 4],
  );
}
