/** The page's own training: what was asked for, how far it is, and what came of it. */

import { type FailureKind, failureOf, textOf } from "../engine/failures";
import { missingFeature, pageIsParsed, sourceOf, startWorker } from "../engine-client";
import type { Manifest, Network, Objective, TrainingPlan } from "../manifest";
import { Observable } from "../observable";
import type { MissingFeature } from "../text/failures";
import type { TrainingSettings } from "./loop";
import type { Measured, Progress, TrainingReply, TrainingRequest } from "./messages";
import { readSheet } from "./sheet";
import { affineOf } from "./statistics";

export type TrainingStage =
  | { kind: "idle" }
  | { kind: "preparing"; share: number }
  | { kind: "running" }
  | { kind: "paused" }
  | { kind: "finished" }
  | { kind: "failed"; failure: FailureKind | MissingFeature; what: string };

/** One run, from its start to now. */
export interface Run {
  settings: TrainingSettings;
  progress: Progress[];
  measured: Measured[];
  /** Its networks in the lab, by the step that they were taken at. */
  networks: Map<number, string>;
  tensors: { weights: Float32Array; norms: Float32Array } | null;
}

const [USUAL_EPSILON, USUAL_SEED] = [4 / 255, 1];

export class Training extends Observable {
  stage: TrainingStage = { kind: "idle" };
  settings: TrainingSettings;
  run: Run | null = null;
  #worker: Worker | null = null;
  #starts = 0;
  #networks = 0;

  constructor(
    readonly manifest: Manifest,
    readonly plan: TrainingPlan,
  ) {
    super();
    const [objective] = Object.keys(plan.objectives) as Objective[];
    this.settings = { objective, epsilon: USUAL_EPSILON, seed: USUAL_SEED };
  }

  /** Of the next run. */
  choose(change: Partial<TrainingSettings>): void {
    this.settings = { ...this.settings, ...change };
    this.changed();
  }

  get step(): number {
    return this.run?.progress[this.run.progress.length - 1]?.step ?? 0;
  }

  /** Begins a run with the settings; one that goes on is given up. */
  async start(): Promise<void> {
    this.#worker?.terminate();
    this.#worker = null;
    const start = ++this.#starts;
    const { settings, manifest, plan } = this;
    this.run = { settings, progress: [], measured: [], networks: new Map(), tensors: null };
    this.#enter({ kind: "preparing", share: 0 });
    const missing = missingFeature();
    if (missing) return this.#enter({ kind: "failed", failure: missing, what: "" });
    try {
      await pageIsParsed();
      const levels = await readSheet(sourceOf(manifest, plan.pictures.sheet), plan);
      const worker = await startWorker(manifest);
      if (start !== this.#starts) return worker.terminate();
      worker.onmessage = ({ data }: MessageEvent<TrainingReply>) => this.#hear(data);
      worker.onerror = (event) => {
        event.preventDefault();
        this.#fail("defect", event.message);
      };
      this.#worker = worker;
      this.#send({
        kind: "train",
        plan: { ...plan, network: { ...plan.network, pictures: [] } },
        settings,
        levels,
        wasm: sourceOf(manifest, "wasm"),
        step: sourceOf(manifest, plan.objectives[settings.objective].graph),
        evaluation: sourceOf(manifest, plan.evaluation),
      });
    } catch (error) {
      if (start === this.#starts) this.#fail(failureOf(error), textOf(error));
    }
  }

  pause(): void {
    this.#send({ kind: "pause" });
  }

  continue(): void {
    this.#enter({ kind: "running" });
    this.#send({ kind: "continue" });
  }

  /**
   * Puts the network, as it is now, into the lab's list; gives it. It lives as long as the page.
   *
   * @param title What a person reads in the list, by the number of the network.
   */
  takeNetwork(title: (number: number) => string, about: string): Network | null {
    const { run, manifest, plan, step } = this;
    if (!run?.tensors) return null;
    const taken = manifest.networks.find(({ name }) => name === run.networks.get(step));
    if (taken) return taken;
    const { weights, norms } = run.tensors;
    const { branches } = plan.objectives[run.settings.objective];
    const number = ++this.#networks;
    const name = `trained-${number}`;
    const network: Network = {
      ...plan.network,
      ...{ name, about, title: title(number), norms: `norms:${name}`, weights: `weights:${name}` },
      branches: plan.network.branches.filter((branch) => branches.includes(branch.name)),
    };
    const affine = affineOf(norms, branches.length, plan.norm_epsilon);
    manifest.assets[network.norms] = madeHere(affine);
    manifest.assets[`weights:${name}`] = madeHere(weights);
    manifest.networks.push(network);
    run.networks.set(step, name);
    return network;
  }

  #hear(reply: TrainingReply): void {
    const { run } = this;
    if (!run) return;
    switch (reply.kind) {
      case "preparing":
        this.#enter(reply);
        break;
      case "progress":
        run.progress.push(reply.progress);
        this.#enter({ kind: "running" });
        break;
      case "measured":
        run.measured.push(reply.measured);
        this.#enter({ kind: "running" });
        break;
      case "paused":
        run.tensors = { weights: reply.weights, norms: reply.norms };
        this.#enter({ kind: reply.isFinished ? "finished" : "paused" });
        break;
      case "training-failed":
        this.#fail(reply.failure, reply.what);
        break;
    }
  }

  #fail(failure: FailureKind, what: string): void {
    this.#worker?.terminate();
    this.#worker = null;
    this.#enter({ kind: "failed", failure, what });
  }

  #enter(stage: TrainingStage): void {
    this.stage = stage;
    this.changed();
  }

  #send(request: TrainingRequest): void {
    this.#worker?.postMessage(request);
  }
}

function madeHere(values: Float32Array) {
  const content = new Uint8Array(values.slice().buffer);
  return { bytes: content.length, sha256: "", url: null, content };
}

const trainings = new WeakMap<Manifest, Training>();

/** The one training of a page: it goes on while another of its pages is looked at. */
export function trainingOf(manifest: Manifest, plan: TrainingPlan): Training {
  const training = trainings.get(manifest) ?? new Training(manifest, plan);
  trainings.set(manifest, training);
  return training;
}
