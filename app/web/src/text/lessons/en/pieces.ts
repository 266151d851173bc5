import { join, percent } from "../../format";

/** Of the live parts of the lessons. */
export const pieces = {
  strength: "Strength ε, in levels",
  network: "The network",
  asking: "The network is working.",
  stillShown: "The dimmed answer is the earlier one.",
  answer: (name: string, share: number) => `Answer: ${name}, ${percent(share)}`,
  scene: (shape: string, texture: string) => `${shape}, covered in ${texture}`,
  mapAlt: (title: string, place: string) => `Map, ${title}: ${place}.`,
  mapScale: {
    least: "counts nothing",
    most: "counts most",
    shared: "One colour scale for all maps.",
    own: "Each map has a scale of its own.",
  },
  faint: (branches: readonly string[]) =>
    `Nearly empty on this scale: ${join(branches)}. Nothing has failed: these values are small beside the others.`,
  explained: (branch: string, name: string, share: number) =>
    `Both maps explain one answer of ${branch}: ${name}, ${percent(share)}.`,
  agreement: (correlation: string) =>
    `How far they agree, from −1 to 1 (rank correlation): ${correlation}.`,
  eightPixels: {
    pixel: (place: number) => `Pixel ${place}`,
    weight: "weight",
    move: ["darker by 0.2", "as it was", "brighter by 0.2"],
    says: (score: string, sure: string, before: string) =>
      `The score is ${score}: boat with ${sure}. At the start it was ${before}.`,
    fooled: "The network no longer says boat.",
    fgsm: "Move all eight for me",
    back: "Start again",
  },
  digit: {
    model: "Model",
    modelAbout: "The attack goes through the model that you choose.",
    models: { natural: "Natural", robust: "Robust" },
    alt: (digit: number) => `A written ${digit}`,
    attackedAlt: (digit: number, epsilon: string) =>
      `The same ${digit} after FGSM with ε = ${epsilon}`,
    says: (digit: number, isRight: boolean) =>
      `The model says ${digit}: ${isRight ? "right" : "wrong"}.`,
    weights: "Weights",
    scale: { least: "for three", most: "for seven", about: "White is 0." },
    weightsAlt: "The model’s weight for each pixel",
    strength: "Strength ε",
    strengthAbout: (epsilon: string) =>
      `Each pixel moves by at most ${epsilon}, and stays between 0 and 1.`,
    choose: "Digits",
    numbered: (place: number, digit: number) => `Digit ${place}, a ${digit}`,
    share: (model: string, share: string, count: number, epsilon: string) =>
      `${model} model: right on ${share} of ${count} digits at ε = ${epsilon}.`,
    errors: (epsilon: string) =>
      `Share of right answers, by the strength ε of FGSM. The upright line is at ε = ${epsilon}.`,
    point: (model: string, clean: string, attacked: string, epsilon: string) =>
      `${model}: ${clean} of clean digits, ${attacked} at ε = ${epsilon}`,
  },
  runningMeans: {
    about: "Means of batches of eight sevens, and the running mean that a norm layer keeps.",
    alt: "Means of clean and attacked batches in turn, and running means between them",
    one: (running: string) => `One norm layer: its running mean is at ${running}.`,
    two: (main: string, aux: string) =>
      `Two norm layers: the running mean of clean batches is at ${main}, of attacked ones at ${aux}.`,
    step: "Next batch",
    again: "Play again",
    twin: "A norm layer for each kind",
    valueAxis: "Mean of the scores",
    batchAxis: "Batches",
    dots: ["A clean batch", "An attacked batch"],
    line: "Running mean of both kinds",
    lines: ["Running mean of main, of clean batches", "Running mean of aux, of attacked batches"],
  },
  twoNetworks: {
    titles: ["First: saw clean scenes", "Second: saw both kinds"],
    against: ["Made to fool the first", "Made to fool the second"],
  },
  algorithm: {
    names: [
      "Take a clean picture.",
      "Attack it through aux.",
      "Show the clean one to main.",
      "Show the attacked one to aux.",
      "Add both losses.",
      "Take one step.",
    ],
    steps: (right: string, clean: string, adversarial: string) => [
      `In training it comes with its right class: ${right}.`,
      "PGD, the attack of lesson 1, follows the gradient of **aux**, at 4/255. It changes the picture alone, not the network.",
      `The loss is ${clean}. In training, the norm layers of **main** now move their running mean and variance.`,
      `The loss is ${adversarial}. In training, the norm layers of **aux** now move theirs.`,
      `${clean} + ${adversarial}: one number for both.`,
      "All weights move a little, so that the sum gets smaller. Shared weights follow both losses. The norm layers of a branch follow its own.",
    ],
    loss: (loss: string) => `loss ${loss}`,
    notYet: "Not made yet",
    next: "Do the next part",
    again: "Start again",
  },
  conflicts: {
    alt: (shape: string, texture: string) => `The outline of ${shape}, covered in ${texture}`,
    caption: (shape: string, texture: string, other: string) =>
      `Outline: ${shape}. Texture: ${texture}, which goes with ${other}.`,
    tally: (count: number) => (count === 1 ? "Answers to 1 scene" : `Answers to ${count} scenes`),
    network: "Network",
    here: "Answer",
    kinds: { shape: "Outline", texture: "Texture", neither: "Neither" },
    candidates: ["Plain", "AdvProp, main", "AdvProp, aux"],
    next: "Next scene",
    all: (count: number) => `Ask all ${count}`,
  },
  shuffled: {
    layers: "Norm layers that are shuffled",
    about:
      "They start with the last layer. A layer has numbers for each thing that it looks for. Shuffling exchanges these numbers.",
    whole: "As it was learned",
    broken: (layers: number) => `${layers} ${layers === 1 ? "layer" : "layers"} shuffled`,
    says: (share: string, name: string, correlation: string) =>
      `Both maps explain ${name}, to which the shuffled network gives ${share}. How far they agree, from −1 to 1 (rank correlation): ${correlation}.`,
  },
  chance: {
    trueLabels: "Learned from true labels",
    randomLabels: "Learned from random labels",
    right: (share: string, count: number) => `Right on ${share} of ${count} new digits.`,
    input: "The digit",
    weights: "Its weights",
    product: "Input times weight",
    agreement: (weights: string, products: string) =>
      `How alike the two models’ maps are, from −1 to 1 (rank correlation of sizes): weights ${weights}, input times weight ${products}.`,
    otherLabels: "Other random labels",
    otherDigit: "Another digit",
    half: ["Weights of the first half.", "Weights of the second half."],
    halves: (correlation: string) =>
      `How alike the sizes of the two models’ weights are, from −1 to 1 (rank correlation): ${correlation}.`,
    otherHalves: "Other halves",
  },
};
