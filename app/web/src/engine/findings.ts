/** What the engine is asked, and what it finds out, part by part. */

import type { InputKind, MapMethod, Settings } from "../manifest";
import type { Levels } from "./levels";

/** Probabilities of all classes, by branch; NaN where one is not known. */
export type Answers = Record<string, Float32Array>;

export interface MapOfBranch {
  /** The class it explains: the branch's own answer. */
  classIndex: number;
  rows: number;
  columns: number;
  values: Float32Array;
}
export type Maps = Record<InputKind, Record<string, MapOfBranch>>;

export interface DialPoint {
  classIndex: number;
  probability: number;
}

export interface Job {
  id: number;
  /** Names the clean picture, so that what was asked of it before need not be asked again. */
  picture: string;
  clean: Levels;
  trueClass: number | null;
  settings: Settings;
  /** The frame of the film to look at; null for the last. */
  step: number | null;
  /** The branch at the other end of the dial; null where no dial is wanted. */
  dial: string | null;
  /** A frame of the camera: answers alone, and nothing is remembered. */
  isLive: boolean;
}

export type Part =
  | { kind: "progress"; step: number; steps: number }
  | {
      kind: "answers";
      /** The class whose loss the attack raises or lowers. */
      label: number;
      /** The rounded picture at the start and after each step. */
      frames: Levels[];
      step: number;
      clean: Answers;
      perturbed: Answers;
    }
  | { kind: "maps"; step: number; maps: Maps }
  | { kind: "film"; answers: Answers[] }
  | { kind: "dial"; branch: string; points: Record<InputKind, DialPoint[]> }
  | { kind: "done" };

/** One look at a picture through a branch, some of whose norm layers may be shuffled. */
export interface Look {
  levels: Levels;
  branch: string;
  /** So many norm layers, the last first, have their channels' scales and shifts exchanged. */
  shuffled: number;
  seed: number;
  /** The class that the map explains; null for the branch's own answer. */
  classIndex: number | null;
  method: MapMethod;
}

export interface Looked {
  probabilities: Float32Array;
  map: MapOfBranch;
}
