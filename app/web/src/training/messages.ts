/** What the page and the worker that trains say to each other. */

import type { Source } from "../engine/assets";
import type { FailureKind } from "../engine/failures";
import type { TrainingPlan } from "../manifest";
import type { Accuracy, TrainingSettings } from "./loop";

export interface TrainingStart {
  kind: "train";
  plan: TrainingPlan;
  settings: TrainingSettings;
  /** Of all pictures, (pictures, 3, size, size). */
  levels: Uint8Array;
  wasm: Source;
  step: Source;
  evaluation: Source;
}

export type TrainingRequest = TrainingStart | { kind: "pause" } | { kind: "continue" };

/** Where training stands. */
export interface Progress {
  step: number;
  /** Of each kind of input, mean over the steps since the last one. */
  losses: number[];
  /** (branches, 4, channels): γ, β, running mean and running variance. */
  norms: Float32Array;
  /** (kinds, 2, channels): running mean and variance of each kind of input alone. */
  kinds: Float32Array;
}

export interface Measured {
  step: number;
  accuracies: Record<string, Accuracy>;
}

export type TrainingReply =
  | { kind: "preparing"; share: number }
  | { kind: "progress"; progress: Progress }
  | { kind: "measured"; measured: Measured }
  | { kind: "paused"; weights: Float32Array; norms: Float32Array; isFinished: boolean }
  | { kind: "training-failed"; failure: FailureKind; what: string };

export function isOfTraining<T extends { kind: string }>(
  request: T | TrainingRequest,
): request is TrainingRequest {
  return ["train", "pause", "continue"].includes(request.kind);
}
