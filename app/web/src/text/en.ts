/** Every sentence of the page, in English. Another language is another file with these keys. */

import type { Settings } from "../manifest";
import type { Complaint, PagePart } from "../state";
import { join, percent, radius } from "./format";
import { lessonsEn } from "./lessons/en";
import { trainingEn } from "./training/en";

const ATTACK_NAMES = { pgd: "PGD", fgsm: "FGSM", noise: "Noise", none: "None" } as const;

/** How a branch came to be, by the short words of its file. */
const ORIGINS: Record<string, string> = {
  "norm layers only": "same weights, norm layers trained again",
  "statistics only": "same weights, statistics estimated again",
};

export const en = {
  lessons: lessonsEn,
  training: trainingEn,

  // The header of every page
  doors: "Parts of this page",
  lab: "Lab",
  lessonsDoor: "Lessons",
  language: "Language",
  noLessons: "This page has no lessons. “advprop page --lessons” writes a page with lessons.",

  question: "What do the two BatchNorms see in this picture?",
  introduction: [
    "One network, two sets of norm layers. ",
    "main",
    " is for clean pictures, ",
    "aux",
    " for perturbed ones. Change the picture a little, and see what each of them answers.",
  ],
  glossaryTitle: "What do these words mean?",
  glossary: [
    [
      "BatchNorm, norm layer",
      "A layer that scales and shifts the output of the layer before it. A network has dozens of them.",
    ],
    [
      "Branch: main, aux",
      "The same network with another set of norm layers. Those of main learned from clean pictures. Those of aux learned from pictures that were changed to fool aux. All other weights are shared. This training is called AdvProp.",
    ],
    [
      "Gradient",
      "For each colour value, the direction in which a small change makes the network less sure of its answer.",
    ],
    ["FGSM, PGD", "Attacks: one step along the gradient, or many small ones."],
    [
      "ε, L∞, L2",
      "How far an attack may go. L∞ is the largest change of any colour value, in 255ths. L2 is the length of the whole change.",
    ],
    [
      "Grad-CAM, saliency",
      "Maps of the places that a branch's answer depends on. Yellow matters most. Maps are hints, not proof.",
    ],
  ],
  aboutNetwork: (about: string) => `${about.replace(/\.$/, "")}.`,

  // The verdict
  nothingChanged: "Nothing is changed",
  stillShown: "Working. Still shown:",
  reached: (branches: readonly string[], name: string) =>
    `${join(branches)} ${branches.length > 1 ? "say" : "says"} the target, ${name}.`,
  notReached: (branch: string, name: string, share: number) =>
    `The target is not reached: ${branch} gives ${name} ${percent(share)}. A larger ε may reach it.`,
  notFooled: (branch: string) =>
    `The attack does not change the answer of ${branch}. A larger ε may.`,
  attackLine(settings: Settings): string {
    const { attack, norm, epsilon, attack_branch } = settings;
    if (attack === "none") return en.nothingChanged;
    if (attack === "noise") return `Random noise at ${radius(epsilon, norm)}`;
    return `${ATTACK_NAMES[attack]} at ${radius(epsilon, norm)} through ${attack_branch}`;
  },
  towards: (name: string) => `, towards ${name}`,
  atStep: (step: number, steps: number) =>
    step ? `, after step ${step} of ${steps}` : ", where the attack starts",
  says: (name: string, share: number) => `says ${name} ${percent(share)}`,
  stillSays: (name: string, before: number, after: number) =>
    `still says ${name}, ${percent(before)}\u00a0→\u00a0${percent(after)}`,
  turns: (before: string, beforeShare: number, after: string, afterShare: number) =>
    `says ${before} ${percent(beforeShare)} →\u00a0${after} ${percent(afterShare)}`,

  // Pictures
  clean: "Clean",
  perturbed: "Perturbed",
  truth: (name: string) => `Right answer: ${name}.`,
  truthNone: "No class of this network is right.",
  truthUnknown: "The right answer is not known.",
  change: "Change",
  amplified: (times: number) => `Change, amplified ${times}×`,
  noChange: "No change",
  cleanAlt: (title: string) => `Clean picture: ${title}`,
  perturbedAlt: (title: string, attack: string) => `Perturbed picture: ${title}. ${attack}.`,
  changeAlt: (times: number, linf: number) =>
    `The change of each colour value, amplified ${times} times: at most ${linf} of 255 levels.`,
  save: "Save as PNG",
  saveHint:
    "The perturbed picture, as a PNG. It gives the same answers when you open it here again.",
  fileName: (picture: string, settings: Settings) =>
    `${picture}-${settings.attack}-${radius(settings.epsilon, settings.norm)}-${settings.attack_branch}`
      .replace(/[^\p{L}\p{N}.]+/gu, "-")
      .replace(/-$/, ""),

  // Choosing a picture
  /** Of a picture that comes with the page. */
  pictureTitle: (title: string) => title,
  choosePicture: "Picture",
  openPicture: "Open a picture",
  camera: "Live camera",
  pictureHint: "Or paste one, or drop one anywhere on the page. It stays on this device.",
  dropHere: "Drop the picture",
  ownPicture: (number: number, title: string) => `Your picture ${number}: ${title}`,
  cut: (width: number, height: number, size: number) =>
    `Your picture has ${width} × ${height} pixels. The square in its middle is used, at ${size} × ${size}.`,
  rightQuestion: "What does it show?",
  rightUnsaid: "I do not say",
  rightNone: "None of the network's classes",
  ownTitle: "your picture",
  cameraTitle: "the camera's picture",

  // Controls
  controls: "Controls",
  network: "Network",
  attack: "Change the picture by",
  attackNames: ATTACK_NAMES,
  attackAbout: {
    pgd: "Many small steps from a random start, each along the gradient.",
    fgsm: "One step along the gradient.",
    noise: "A random change with the same limit for each colour value, for comparison.",
    none: "Each branch sees the clean picture.",
  },
  outOfRange: (text: string, least: number, most: number, value: number) =>
    `“${text}” is not a number from ${least} to ${most}: it stays at ${value}.`,
  strength: "Strength ε",
  strengthUnit: { linf: "in 1/255", l2: "L2 length" },
  strengthAbout: {
    linf: (value: string) =>
      `No colour value changes by more than ${value} ${value === "1" ? "level" : "levels"}.`,
    l2: (value: string) => `The whole change is at most ${value} long.`,
  },
  through: "Attack through",
  throughAbout: (branch: string) =>
    `The change is made to fool ${branch}, and harms it most. Every branch sees the same picture.`,
  more: "More",
  norm: "Norm",
  normNames: { linf: "L∞", l2: "L2" },
  steps: "Steps",
  target: "Towards a class",
  noTarget: "Any other answer",
  method: "Map",
  methodNames: { "grad-cam": "Grad-CAM", saliency: "Saliency" },
  startAgain: "Start again",

  // Branches
  branchAnswers: "What each branch answers, and where it looks",
  origin: (origin: string) => ORIGINS[origin] ?? origin,
  rightAnswer: "right answer",
  targetClass: "target",
  mapFor: (name: string) => `for ${name}`,
  mapAlt: (branch: string, kind: string, name: string, place: string) =>
    `Where ${branch} looks in the ${kind.toLowerCase()} picture, for ${name}: ${place}.`,
  mapScale: (method: "grad-cam" | "saliency", layer: string) =>
    method === "grad-cam"
      ? `Grad-CAM at layer ${layer}, each for the branch's own answer. One colour scale for all:`
      : "Saliency, each for the branch's own answer. One colour scale for all:",
  faintMaps: (branch: string, share: number) =>
    `${branch}'s maps are faint: they reach ${percent(share)} of the scale.`,
  mapLargest: (value: string) => `, the largest is ${value}`,
  emptyMap: "the map is empty",
  mapPending: "map follows",
  places: [
    ["upper left", "upper middle", "upper right"],
    ["left", "centre", "right"],
    ["lower left", "lower middle", "lower right"],
  ],
  mapPlace: (place: string, share: number) => `mostly ${place}, ${percent(share)} of it there`,

  // The film
  film: "Step by step",
  filmAbout: "How sure each branch is, step by step.",
  filmStep: (step: number, last: number) => (step ? `Step ${step} of ${last}` : "Where it starts"),
  filmSlider: "Step of the attack",
  play: "Play",
  pause: "Pause",
  filmPoint: (branch: string, name: string, share: number | undefined) =>
    share === undefined ? `${branch}: ${name}` : `${branch}: ${name} ${percent(share)}`,

  // The dial
  dial: (first: string, last: string) => `The dial from ${first} to ${last}`,
  dialAbout:
    "The scales and shifts of the norm layers move from one branch to the other. All other weights are shared. Nobody trained the networks between the ends, so the middle may be worse than both. A bar's height is the probability of the answer below it. A higher bar does not mean that the answer is right.",
  dialSlider: "Share of the other branch",
  dialBranch: "Towards",
  dialPoint: (share: number, branch: string) => `${percent(share)} ${branch}`,
  dialAnswer: (kind: string, name: string, share: number) => `${kind}: ${name} ${percent(share)}`,
  dialRuns: (runs: readonly { name: string; from: number; to: number }[]) =>
    `${runs
      .map(({ name, from, to }) =>
        from === to
          ? `${name} at ${percent(from)}`
          : `${name} from ${percent(from)} to ${percent(to)}`,
      )
      .join(", then ")}.`,
  dialPending: "Appears when the other results are ready.",

  // What was measured
  measured: (linf: number, l2: number, lowest: number, highest: number) => [
    { name: "Largest change", value: `${linf}/255`, unit: "L∞" },
    { name: "Length of the change", value: l2.toFixed(2), unit: "L2" },
    {
      name: "Range of colours",
      value: `${(lowest / 255).toFixed(2)} to ${(highest / 255).toFixed(2)}`,
      unit: "",
    },
  ],
  eightBit: "Measured after rounding to 8 bits, so a saved PNG gives the same answers.",
  cleanWrong: (branches: readonly string[]) =>
    `Before any change ${join(branches)} ${branches.length > 1 ? "are" : "is"} wrong already.`,

  // Live
  live: "Live",
  liveRate: (frames: number) => `${frames.toFixed(1)} pictures a second`,
  liveAbout: "Each picture of the camera is attacked in one step (FGSM), at your strength.",
  liveAttack: "Attack each picture",
  liveStop: "Stop the camera",
  liveTake: "Use this picture",

  // Sharing
  share: "Share",
  copyLink: "Copy the link",
  copied: "Copied.",
  linkField: "Link to what you see",
  hideTitle: "Hide parts, for a class",
  hideAbout: "A link that opens this page without them:",
  hideLinkField: "Link for the class",
  hidePreview: "See the page as the class will",
  parts: {
    controls: "Controls",
    pictures: "Pictures",
    answers: "Answers",
    maps: "Maps",
    film: "Step by step",
    dial: "The dial",
    measured: "What was measured",
    about: "Introduction",
    training: "Training",
    doors: "Doors to the lessons",
  } satisfies Record<PagePart, string>,
  ownPictureInLink: "A link cannot hold your own picture: send its file as well.",

  // Loading and problems
  loading: (title: string) => `${title} is loading`,
  working: (step: number, steps: number) => `Step ${step} of ${steps}`,
  dismiss: "Dismiss",
  noSimd:
    "This browser lacks WebAssembly SIMD, so the network cannot run. You see stored results. Any browser since 2021 (Safari since 16.4) can run it.",
  noDecompression:
    "This browser lacks DecompressionStream, so the network cannot be unpacked. You see stored results. Any browser since 2023 can run it.",
  damaged: (asset: string) =>
    `“${asset}” is damaged: its content has changed. Get the file again. You see stored results.`,
  damagedPage:
    "This page is damaged, or its parts have different versions. Reload it, because the browser may have stored an old part. If that does not help, get the page again.",
  missing: (asset: string) =>
    `“${asset}” could not be fetched. Check the connection and load the page again. You see stored results.`,
  outOfMemory:
    "This device has not enough free memory. Close other tabs, then try again. You see stored results.",
  defect: (what: string) => `Something went wrong in the network: ${what}`,
  noPicture: (name: string) =>
    `“${name}” is not a picture that this browser can read. Open a JPEG, PNG or WebP file.`,
  noCamera: "The camera was refused. Allow it in the browser's settings, or open a picture.",
  cameraMissing: "No camera was found.",
  cameraNeedsHttps:
    "Browsers allow the camera only for files on this device and for HTTPS addresses. Open a picture.",
  noFile: "You dropped no picture file.",
  complaint({ about, key, value }: Complaint): string {
    const shown = value.length > 40 ? `${value.slice(0, 39)}…` : value;
    if (about === "version") {
      return `The link has version ${shown}, but this page reads version 1. You see the first picture.`;
    }
    if (about === "trained-network") {
      return "The link's network was trained in another page, and a link cannot store it. Train one in this page.";
    }
    if (about === "network") return `The link's network “${shown}” is not in this page.`;
    if (about === "picture") return `The link's picture “${shown}” is not in this page.`;
    if (about === "own-picture") {
      return "The link was made with somebody's own picture, which a link cannot hold. Open its file here.";
    }
    return `The link's ${key} “${shown}” does not exist here. The page uses the default value.`;
  },
};
