/** The eight lessons: their parts in order, and which answers are right. Texts: `src/text/lessons/`. */

import { lessonsEn } from "../text/lessons/en";
import type { Order } from "./answers";

export type LessonId = keyof typeof lessonsEn.lessons;

/** The live parts; `views/pieces/` draws them. */
export type PieceName =
  | "attack-photo"
  | "noise-photo"
  | "eight-pixels"
  | "digit"
  | "fgsm-photo"
  | "digit-errors"
  | "robust-digit"
  | "two-networks"
  | "running-means"
  | "two-branches"
  | "live-training"
  | "algorithm"
  | "strongest-attack"
  | "maps"
  | "map-methods"
  | "conflicts"
  | "shuffled-norms"
  | "random-labels"
  | "other-seeds";

export interface Part {
  /** Of its text. */
  id: string;
  /** What is live in it; null for text alone. */
  piece: PieceName | null;
  /** Of a prediction, the right choice; null where each answer is as good; undefined for no question. */
  right?: number | null;
}

export type TestForm = "a" | "b";

export interface LessonPlan {
  id: LessonId;
  number: number;
  /** Names of the networks without which it is not whole. */
  networks: readonly string[];
  parts: readonly Part[];
  /** The right choices of two questions of each form; both forms ask after the same two ideas. */
  tests: Record<TestForm, readonly [number, number]>;
}

const PHOTOS = "imagenet-lite0";
const VANILLA = "shapes-vanilla";
export const ADVPROP = "shapes-advprop";

const text = (id: string): Part => ({ id, piece: null });
const live = (id: string, piece: PieceName): Part => ({ id, piece });
const predict = (id: string, piece: PieceName, right: number | null): Part => ({
  id,
  piece,
  right,
});

export const LESSONS: readonly LessonPlan[] = [
  {
    id: "fooled",
    number: 1,
    networks: [PHOTOS],
    parts: [
      text("start"),
      predict("attack", "attack-photo", 2),
      text("small"),
      predict("noise", "noise-photo", 0),
      text("end"),
    ],
    tests: { a: [1, 2], b: [2, 0] },
  },
  {
    id: "gradient",
    number: 2,
    networks: [PHOTOS],
    parts: [
      text("start"),
      predict("pixels", "eight-pixels", 1),
      text("sign"),
      predict("digit", "digit", 1),
      live("photo", "fgsm-photo"),
      text("end"),
    ],
    tests: { a: [1, 2], b: [0, 1] },
  },
  {
    id: "training",
    number: 3,
    networks: [VANILLA, ADVPROP],
    parts: [
      text("start"),
      predict("robust", "robust-digit", 1),
      live("errors", "digit-errors"),
      text("cost"),
      predict("scenes", "two-networks", 2),
      text("end"),
    ],
    tests: { a: [1, 0], b: [2, 1] },
  },
  {
    id: "norms",
    number: 4,
    networks: [ADVPROP],
    parts: [
      text("start"),
      predict("means", "running-means", 2),
      text("split"),
      predict("branches", "two-branches", 1),
      live("train", "live-training"),
      text("halves"),
    ],
    tests: { a: [2, 1], b: [1, 0] },
  },
  {
    id: "algorithm",
    number: 5,
    networks: [ADVPROP],
    parts: [
      text("start"),
      live("steps", "algorithm"),
      predict("through", "strongest-attack", 1),
      text("result"),
    ],
    tests: { a: [1, 2], b: [0, 1] },
  },
  {
    id: "maps",
    number: 6,
    networks: [PHOTOS],
    parts: [
      text("start"),
      predict("where", "maps", null),
      text("read"),
      predict("methods", "map-methods", 1),
      text("limits"),
    ],
    tests: { a: [2, 0], b: [1, 2] },
  },
  {
    id: "texture",
    number: 7,
    networks: [VANILLA, ADVPROP],
    parts: [text("start"), predict("conflict", "conflicts", 0), text("measured"), text("end")],
    tests: { a: [0, 1], b: [2, 1] },
  },
  {
    id: "trust",
    number: 8,
    networks: [ADVPROP],
    parts: [
      text("start"),
      predict("weights", "shuffled-norms", 0),
      predict("labels", "random-labels", 1),
      predict("seeds", "other-seeds", 1),
      text("checks"),
    ],
    tests: { a: [1, 2], b: [0, 1] },
  },
];

/** Which questions a reader meets on a side of a lesson. */
export function testForm(order: Order, side: "before" | "after"): TestForm {
  return (order === 0) === (side === "before") ? "a" : "b";
}

/** How many choices a question of a form has, in every language, "I do not know" not counted. */
export function choicesOfTest(lesson: LessonId, form: TestForm): [number, number] {
  const [first, second] = lessonsEn.lessons[lesson].tests[form];
  return [first.choices.length, second.choices.length];
}

/** How many choices a prediction has, in every language; 0 where the part asks nothing. */
export function choicesOf(lesson: LessonId, part: string): number {
  const parts: Record<string, unknown> = lessonsEn.lessons[lesson].parts;
  const words = parts[part];
  const asks = typeof words === "object" && words !== null && "choices" in words;
  return asks ? (words.choices as readonly string[]).length : 0;
}
