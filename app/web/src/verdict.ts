/** What happened, as the parts of one sentence. */

import { largestIndex } from "./engine/numbers";
import type { Shown } from "./shown";
import { words } from "./text";

export interface Verdict {
  attack: string;
  outcomes: { branch: string; text: string }[];
}

export function verdictOf(shown: Shown): Verdict {
  return {
    attack: attackOf(shown),
    outcomes: shown.subject.network.branches.map(({ name }) => ({
      branch: name,
      text: outcomeOf(shown, name),
    })),
  };
}

export function attackOf({ subject, step, frames }: Shown): string {
  const { settings, network } = subject;
  const target = settings.target === null ? "" : words.towards(network.classes[settings.target]);
  const last = frames.length - 1;
  const partWay = frames.length && step < last ? words.atStep(step, last) : "";
  return words.attackLine(settings) + target + partWay;
}

function outcomeOf({ subject, answers }: Shown, branch: string): string {
  if (!answers) return "";
  const { classes } = subject.network;
  const [before, after] = [answers.clean[branch], answers.perturbed[branch]];
  const [from, to] = [largestIndex(before), largestIndex(after)];
  if (subject.settings.attack === "none") return words.says(classes[from], before[from]);
  if (from === to) return words.stillSays(classes[from], before[from], after[to]);
  return words.turns(classes[from], before[from], classes[to], after[to]);
}
