/** The main job: attack a picture, ask every branch, see where each looks, turn the dial. */

import type { MapMethod, Network } from "../manifest";
import { walkFrom, walkPixels } from "./attack";
import type { Branches } from "./branches";
import type { Answers, DialPoint, Job, Look, Looked, MapOfBranch, Part } from "./findings";
import type { Graph, Outputs } from "./graph";
import { type Levels, roundInBall, toPixels } from "./levels";
import { largestIndex, softmax } from "./numbers";

const MOST_REMEMBERED = 400;
export const DIAL_POINTS = 11;

/** Tells one part of a job; throws to end the job. */
export type Tell = (part: Part) => void;
/** Waits for messages between two steps; throws where a newer job came. */
export type Breathe = () => Promise<void>;

export class Comparer {
  readonly #remembered = new Map<string, unknown>();

  constructor(
    readonly graph: Graph,
    readonly branches: Branches,
    readonly network: Network,
    readonly breathe: Breathe,
  ) {}

  async compare(job: Job, tell: Tell): Promise<void> {
    const picture = job.picture;
    const clean = await this.#answers(picture, job.clean);
    const { attack_branch, target } = job.settings;
    const label = target ?? job.trueClass ?? largestIndex(clean[attack_branch]);
    const walked = walkName(job, label);
    const frames = await this.#once(walked, () => this.#frames(job, label, tell));
    const step = Math.min(job.step ?? frames.length - 1, frames.length - 1);
    const frameName = (index: number) =>
      job.settings.attack === "none" ? picture : `${walked} step ${index}`;
    const perturbed = await this.#answers(frameName(step), frames[step]);
    tell({ kind: "answers", label, frames, step, clean, perturbed });
    if (job.isLive) {
      this.#remembered.clear();
      return;
    }
    const { method } = job.settings;
    const maps = {
      clean: await this.#maps(picture, job.clean, clean, method),
      perturbed: await this.#maps(frameName(step), frames[step], perturbed, method),
    };
    tell({ kind: "maps", step, maps });
    const film: Answers[] = [];
    for (const [index, frame] of frames.entries()) {
      film.push(await this.#answers(frameName(index), frame));
    }
    tell({ kind: "film", answers: film });
    if (job.dial) {
      const points = {
        clean: await this.#dial(picture, job.clean, job.dial),
        perturbed: await this.#dial(frameName(step), frames[step], job.dial),
      };
      tell({ kind: "dial", branch: job.dial, points });
    }
    tell({ kind: "done" });
  }

  async look(look: Look): Promise<Looked> {
    const { branch, shuffled, seed, method } = look;
    const pixels = toPixels(look.levels);
    const norm = this.branches.shuffled(branch, shuffled, seed);
    const run = (classIndex: number) => this.#run(pixels, norm, classIndex, false);
    const first = await run(look.classIndex ?? 0);
    const probabilities = softmax(first.logits);
    const classIndex = look.classIndex ?? largestIndex(probabilities);
    const outputs = classIndex === (look.classIndex ?? 0) ? first : await run(classIndex);
    return { probabilities, map: mapOf(outputs, classIndex, method, this.network) };
  }

  async #frames(job: Job, label: number, tell: Tell): Promise<Levels[]> {
    const { settings, clean } = job;
    const norm = this.branches.norm(settings.attack_branch);
    const walk = walkFrom(settings, clean.length);
    const gradient = async (pixels: Float32Array) =>
      (await this.#run(pixels, norm, label, true)).gradient;
    const frames: Levels[] = [];
    for await (const pixels of walkPixels(toPixels(clean), walk, gradient)) {
      frames.push(roundInBall(pixels, clean, settings.norm, settings.epsilon));
      tell({ kind: "progress", step: frames.length - 1, steps: walk.steps });
    }
    return frames;
  }

  #answers(name: string, levels: Levels): Promise<Answers> {
    return this.#once(`${name} answers`, async () => {
      const answers: Answers = {};
      for (const branch of this.branches.names) {
        const outputs = await this.#run(toPixels(levels), this.branches.norm(branch), 0, false);
        answers[branch] = softmax(outputs.logits);
      }
      return answers;
    });
  }

  #maps(name: string, levels: Levels, answers: Answers, method: MapMethod) {
    return this.#once(`${name} ${method}`, async () => {
      const maps: Record<string, MapOfBranch> = {};
      for (const branch of this.branches.names) {
        const classIndex = largestIndex(answers[branch]);
        const norm = this.branches.norm(branch);
        const outputs = await this.#run(toPixels(levels), norm, classIndex, false);
        maps[branch] = mapOf(outputs, classIndex, method, this.network);
      }
      return maps;
    });
  }

  #dial(name: string, levels: Levels, branch: string): Promise<DialPoint[]> {
    return this.#once(`${name} dial ${branch}`, async () => {
      const points: DialPoint[] = [];
      for (let index = 0; index < DIAL_POINTS; index++) {
        const norm = this.branches.blend(branch, index / (DIAL_POINTS - 1));
        const { logits } = await this.#run(toPixels(levels), norm, 0, false);
        const probabilities = softmax(logits);
        const classIndex = largestIndex(probabilities);
        points.push({ classIndex, probability: probabilities[classIndex] });
      }
      return points;
    });
  }

  async #run(pixels: Float32Array, norm: Float32Array, classIndex: number, attacks: boolean) {
    await this.breathe();
    return this.graph.run(pixels, norm, classIndex, attacks);
  }

  async #once<T>(name: string, make: () => Promise<T>): Promise<T> {
    if (!this.#remembered.has(name)) {
      const made = await make();
      if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear();
      this.#remembered.set(name, made);
    }
    return this.#remembered.get(name) as T;
  }
}

function walkName(job: Job, label: number): string {
  const { attack, norm, epsilon, steps, attack_branch, target } = job.settings;
  return JSON.stringify([job.picture, label, attack, norm, epsilon, steps, attack_branch, target]);
}

/** A map of the class's logit, unscaled. */
export function mapOf(
  outputs: Outputs,
  classIndex: number,
  method: MapMethod,
  network: Network,
): MapOfBranch {
  if (method === "grad-cam") {
    const [rows, columns] = network.cells;
    return { classIndex, rows, columns, values: outputs.cam };
  }
  const { size } = network;
  const area = size * size;
  const values = new Float32Array(area).map((_, cell) =>
    Math.max(...[0, area, 2 * area].map((channel) => Math.abs(outputs.gradient[channel + cell]))),
  );
  return { classIndex, rows: size, columns: size, values };
}
