/** What the page shows: the parts that were found out so far, and what they belong to. */

import type { Answers, DialPoint, Maps, Part } from "./engine/findings";
import type { Levels } from "./engine/levels";
import { largestIndex } from "./engine/numbers";
import type { First, InputKind, Manifest, Network, Settings, Truth } from "./manifest";
import { networkNamed } from "./manifest";

/** A data URL, until its levels have been read. */
export type Drawn = Levels | string;

export interface Subject {
  network: Network;
  picture: string;
  title: string;
  truth: Truth;
  settings: Settings;
}

export interface Shown {
  subject: Subject;
  clean: Drawn;
  perturbed: Drawn;
  /** The class that the attack moves away from, or towards. */
  label: number;
  frames: Levels[];
  step: number;
  answers: Record<InputKind, Answers> | null;
  maps: Maps | null;
  film: Answers[] | null;
  dial: { branch: string; points: Record<InputKind, DialPoint[]> } | null;
}

/** The first view, from what was computed before. */
export function firstShown(manifest: Manifest): Shown {
  const { first } = manifest;
  const network = networkNamed(manifest, first.network);
  const picture =
    network.pictures.find(({ name }) => name === first.picture) ?? network.pictures[0];
  const { settings } = first;
  const answers = {
    clean: answersOf(first.answers.clean, network),
    perturbed: answersOf(first.answers.perturbed, network),
  };
  const ownAnswer = first.answers.clean[settings.attack_branch][0][0];
  return {
    subject: {
      ...{ network, settings, picture: picture.name, title: picture.title },
      truth: picture.true_class,
    },
    clean: picture.png,
    perturbed: first.perturbed,
    label: settings.target ?? classOf(picture.true_class) ?? ownAnswer,
    frames: [],
    step: settings.steps,
    answers,
    maps: mapsOf(first, network),
    film: null,
    dial: null,
  };
}

export function classOf(truth: Truth): number | null {
  return truth === "none" ? null : truth;
}

/** Whether the perturbed picture is the clean one, so that it need not be shown again. */
export function isUnchanged({ subject }: Shown): boolean {
  return subject.settings.attack === "none" || subject.settings.epsilon === 0;
}

/** Whose probability tells how an attack goes: the target, the right class, or a branch's own. */
export function followedClass({ subject, answers }: Shown, branch: string): number {
  const { truth, settings } = subject;
  const own = answers ? largestIndex(answers.clean[branch]) : 0;
  return settings.target ?? classOf(truth) ?? own;
}

function answersOf(listed: First["answers"]["clean"], network: Network): Answers {
  const entries = Object.entries(listed).map(([branch, pairs]) => {
    const probabilities = new Float32Array(network.classes.length).fill(Number.NaN);
    for (const [classIndex, probability] of pairs) probabilities[classIndex] = probability;
    return [branch, probabilities] as const;
  });
  return Object.fromEntries(entries);
}

function mapsOf(first: First, network: Network): Maps {
  const [rows, columns] = network.cells;
  const side = (kind: InputKind) =>
    Object.fromEntries(
      Object.entries(first.maps[kind]).map(([branch, map]) => [
        branch,
        { classIndex: map.class, rows, columns, values: Float32Array.from(map.values) },
      ]),
    );
  return { clean: side("clean"), perturbed: side("perturbed") };
}

/** What is shown once a part of a job has come. */
export function withPart(shown: Shown, subject: Subject, clean: Levels, part: Part): Shown {
  switch (part.kind) {
    case "answers": {
      // Maps, film and dial stay until new ones come: nothing jumps.
      const { frames, label, step } = part;
      const isSameNetwork = shown.subject.network === subject.network;
      const rest = isSameNetwork ? shown : { ...shown, maps: null, film: null, dial: null };
      const answers = { clean: part.clean, perturbed: part.perturbed };
      return { ...rest, subject, clean, perturbed: frames[step], label, frames, step, answers };
    }
    case "maps":
      return { ...shown, maps: part.maps };
    case "film":
      return { ...shown, film: part.answers };
    case "dial":
      return { ...shown, dial: part };
    default:
      return shown;
  }
}
