/** What happened, as the parts of one sentence. */

import { largestIndex } from "./engine/numbers";
import type { Network } from "./manifest";
import { isUnchanged, type Shown } from "./shown";
import { words } from "./text";

export interface Verdict {
  attack: string;
  outcomes: { branch: string; text: string }[];
  /** Whether the attack got what it wanted; null for a change that wants nothing. */
  success: string | null;
}

export function verdictOf(shown: Shown): Verdict {
  return {
    attack: attackOf(shown),
    outcomes: shown.subject.network.branches.map(({ name }) => ({
      branch: name,
      text: outcomeOf(shown, name),
    })),
    success: successOf(shown),
  };
}

export function attackOf({ subject, step, frames }: Shown): string {
  const { settings, network } = subject;
  if (settings.epsilon === 0) return words.nothingChanged;
  const target = settings.target === null ? "" : words.towards(network.classes[settings.target]);
  const last = frames.length - 1;
  const partWay = frames.length && step < last ? words.atStep(step, last) : "";
  return words.attackLine(settings) + target + partWay;
}

/** Of an attack that was walked to its end. */
function successOf(shown: Shown): string | null {
  const { subject, answers, frames, step } = shown;
  const { attack, attack_branch, target } = subject.settings;
  const isAttack = attack === "pgd" || attack === "fgsm";
  if (!answers || !isAttack || isUnchanged(shown) || step < frames.length - 1) return null;
  const { branches, classes } = subject.network;
  const answer = (kind: "clean" | "perturbed", name: string) => largestIndex(answers[kind][name]);
  if (target !== null) {
    const reached = branches.filter(({ name }) => answer("perturbed", name) === target);
    if (reached.length)
      return words.reached(
        reached.map(({ name }) => name),
        classes[target],
      );
    const share = answers.perturbed[attack_branch][target];
    return words.notReached(attack_branch, classes[target], share);
  }
  const isFooled = answer("clean", attack_branch) !== answer("perturbed", attack_branch);
  return isFooled ? null : words.notFooled(attack_branch);
}

function outcomeOf(shown: Shown, branch: string): string {
  const { subject, answers } = shown;
  if (!answers) return "";
  const { clean, perturbed } = answers;
  return answerLine(subject.network, clean[branch], perturbed[branch], !isUnchanged(shown));
}

/** What a branch says of the picture before and after it was changed, from its probabilities. */
export function answerLine(
  { classes }: Network,
  before: Float32Array,
  after: Float32Array,
  isChanged: boolean,
): string {
  const [from, to] = [largestIndex(before), largestIndex(after)];
  if (!isChanged) return words.says(classes[from], before[from]);
  if (from === to) return words.stillSays(classes[from], before[from], after[to]);
  return words.turns(classes[from], before[from], classes[to], after[to]);
}
