/** Training in the worker: goes on step by step until it is paused or done. */

import { readAsset } from "../engine/assets";
import { failureOf, textOf } from "../engine/failures";
import { splitSheet } from "./batches";
import { TrainingLoop } from "./loop";
import type { TrainingReply, TrainingRequest, TrainingStart } from "./messages";
import { openRun } from "./runner";

const STEPS_PER_PROGRESS = 5;
const STEPS_PER_MEASUREMENT = 30;
/** Of the newest step in the running statistics of a kind, as in the norm layers themselves. */
const STATISTICS_MOMENTUM = 0.1;

export class TrainingRun {
  #loop: TrainingLoop | null = null;
  #kinds: Float32Array | null = null;
  #losses: Float32Array[] = [];
  #measuredStep = -1;
  #isPaused = false;
  #isRunning = false;

  /**
   * @param breathe Lets messages in.
   * @param tell Sends a reply to the page.
   */
  constructor(
    readonly breathe: () => Promise<void>,
    readonly tell: (reply: TrainingReply) => void,
  ) {}

  hear(request: TrainingRequest): void {
    if (request.kind === "pause") {
      this.#isPaused = true;
      return;
    }
    this.#isPaused = false;
    if (this.#isRunning) return;
    this.#isRunning = true;
    void this.#go(request).finally(() => {
      this.#isRunning = false;
    });
  }

  async #go(request: TrainingRequest): Promise<void> {
    try {
      if (request.kind === "train") this.#loop = await this.#prepare(request);
      if (this.#loop) await this.#train(this.#loop);
    } catch (error) {
      this.tell({ kind: "training-failed", failure: failureOf(error), what: textOf(error) });
    }
  }

  async #prepare(start: TrainingStart): Promise<TrainingLoop> {
    const tell = (share: number) => this.tell({ kind: "preparing", share });
    tell(0.1);
    const wasm = await readAsset(start.wasm);
    tell(0.5);
    const step = await openRun(await readAsset(start.step), wasm);
    tell(0.8);
    const evaluate = await openRun(await readAsset(start.evaluation), wasm);
    const pictures = splitSheet(start.levels, start.plan);
    return new TrainingLoop(start.plan, start.settings, pictures, { step, evaluate });
  }

  async #train(loop: TrainingLoop): Promise<void> {
    if (loop.step === 0) await this.#measure(loop);
    while (!this.#isPaused && !loop.isFinished) {
      const { losses, statistics } = await loop.next();
      this.#losses.push(losses);
      this.#kinds = follow(this.#kinds, statistics);
      if (loop.step % STEPS_PER_PROGRESS === 0) this.#report(loop);
      if (loop.step % STEPS_PER_MEASUREMENT === 0) await this.#measure(loop);
      await this.breathe();
    }
    if (this.#losses.length) this.#report(loop);
    if (this.#measuredStep < loop.step) await this.#measure(loop);
    const { weights, norms, isFinished } = loop;
    this.tell({ kind: "paused", weights, norms, isFinished });
  }

  #report({ step, norms }: TrainingLoop): void {
    const kinds = this.#losses[0].length;
    const losses = Array.from({ length: kinds }, (_, kind) => {
      const total = this.#losses.reduce((sum, each) => sum + each[kind], 0);
      return total / this.#losses.length;
    });
    this.#losses = [];
    const followed = this.#kinds ?? new Float32Array();
    this.tell({ kind: "progress", progress: { step, losses, norms, kinds: followed } });
  }

  async #measure(loop: TrainingLoop): Promise<void> {
    const accuracies = await loop.evaluate();
    this.#measuredStep = loop.step;
    this.tell({ kind: "measured", measured: { step: loop.step, accuracies } });
  }
}

/** A running average; it begins at the first values. */
function follow(average: Float32Array | null, newest: Float32Array): Float32Array {
  if (!average) return newest;
  return average.map((value, place) => value + STATISTICS_MOMENTUM * (newest[place] - value));
}
