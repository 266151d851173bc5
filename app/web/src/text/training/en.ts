/** Of the network that is trained in the page. */

import type { Objective } from "../../manifest";
import { distance, number, percent, radius } from "../format";

const OBJECTIVES: Record<Objective, string> = {
  advprop: "AdvProp",
  mixed: "One BatchNorm",
  vanilla: "Plain (vanilla)",
};

/** How far two kinds are apart. */
function apart(gap: number): string {
  return `${distance(gap)} apart in this channel. 1 is how far values of one kind usually lie from their mean (their standard deviation)`;
}

export const trainingEn = {
  title: "Train a network here",
  about:
    "A tiny network learns ten drawn shapes, on this device. It starts from random weights. Each step shows it 64 small pictures.",
  objective: "How it learns",
  objectives: OBJECTIVES,
  objectiveAbout: {
    advprop:
      "Clean pictures go through main, attacked ones through aux. Each has a BatchNorm of its own.",
    mixed: "Clean and attacked pictures go through one BatchNorm, together.",
    vanilla: "It sees clean pictures alone, through one BatchNorm.",
  } satisfies Record<Objective, string>,
  epsilon: "Attack strength ε",
  epsilonUnit: "in 1/255",
  epsilonAbout: {
    advprop: "The strength of the attacks in training and in measuring.",
    mixed: "The strength of the attacks in training and in measuring.",
    vanilla: "The strength of the attacks in measuring.",
  } satisfies Record<Objective, string>,
  seed: "Seed",
  seedAbout:
    "It decides everything that is random. The same seed gives the same run again on this device.",
  start: "Start training",
  startAgain: "Start again",
  pause: "Pause training",
  continue: "Continue",
  duration: "It takes about a minute on a laptop, longer on a phone.",
  preparing: "Getting ready",
  step: (step: number, steps: number) => `Step ${step} of ${steps}`,

  // What is found
  ofOtherRun: (objective: Objective, epsilon: number, seed: number) =>
    `You changed the settings. The dimmed results are from the last run: ${OBJECTIVES[objective]}, ε = ${radius(epsilon, "linf")}, seed ${seed}. Start again to see the new settings.`,
  idle: "Nothing is trained yet.",
  started: "It answers by chance: one in ten is right.",
  standing: (clean: number, adversarial: number) =>
    `${percent(clean)} of clean pictures right, ${percent(adversarial)} of attacked ones.`,
  accuracy: "Right answers",
  accuracyAxis: "Share of right answers",
  accuracyAbout: (count: number) =>
    `On ${count} pictures that it does not learn from. Each branch is attacked through itself, in one step. With 200 pictures, differences of a few points are chance.`,
  loss: "Loss",
  lossAbout:
    "How wrong the answers to the training pictures are, mean over five steps. 0 is best. A network that guesses has 2.3.",
  clean: "clean",
  adversarial: "attacked",
  line: (branch: string, kind: string, value: string) => `${branch}, ${kind}: ${value}`,
  percent,
  lossValue: (value: number) => number(value, 2),
  stepAxis: "steps",

  // The norm layers
  statistics: "What a norm layer keeps",
  statisticsAbout:
    "A channel is one of the things that a layer looks for. For each channel the norm layer keeps a running mean, and a running variance: how far its values spread.",
  layer: "Layer",
  layerNames: ["First", "Second", "Third"],
  quantity: "Keeps",
  quantities: { mean: "Mean", variance: "Variance" },
  channel: "Channel",
  widest: "The one furthest apart",
  channels: "Channels",
  channelNumber: (channel: number) => `Channel ${channel}`,
  overTime: (channel: number) => `Channel ${channel}, step by step`,
  allChannels: "All channels of this layer, now",
  allChannelsAbout:
    "Each line goes from clean pictures to attacked ones. Touch the chart, or use the arrow keys, to choose a channel.",
  kept: (branch: string) => `kept by ${branch}`,
  alone: (kind: string) => `${kind} pictures alone`,
  keeps: (branch: string, value: string) => `${branch} keeps ${value}`,
  passes: (kind: string, value: string) => `${kind} pictures alone: ${value}`,
  statisticValue: (value: number) => number(value, 2),
  gap: {
    advprop: (gap: number) =>
      `The values of main for clean pictures and those of aux for attacked ones are ${apart(gap)}. The pictures cause only a small part of this. Each branch also learns its own γ and β in each norm layer.`,
    mixed: (gap: number) =>
      `Clean and attacked pictures are ${apart(gap)}. The one BatchNorm keeps a value between them. Compare it with AdvProp, where each kind has a γ and β of its own.`,
    vanilla: () => "It sees clean pictures alone, so there is one line.",
  } satisfies Record<Objective, (gap: number) => string>,
  firstLayer:
    "In the first layer they are close: no γ or β comes before it, and an attack moves colour values up as often as down.",
  small:
    "In large networks one BatchNorm for both kinds can cost right answers. In one as small as this the two kinds differ little, and it answers as well as AdvProp.",

  // In the lab
  use: "Use it in the lab",
  useAbout:
    "In the lab you can attack it, draw its maps and move its dial. It stays until this page is closed or loaded again.",
  networkTitle: (number: number, objective: Objective) =>
    `Trained here ${number}: ${OBJECTIVES[objective]}`,
  networkAbout: (objective: Objective, epsilon: number, step: number, seed: number) =>
    `A tiny network that you trained here: ${OBJECTIVES[objective]}, ε = ${radius(epsilon, "linf")}, ${step} steps, seed ${seed}`,
};
