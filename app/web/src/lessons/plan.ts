/** The eight lessons: their parts in order, and which answers are right. Texts: `src/text/lessons/`. */

import { lessonsEn } from "../text/lessons/en";
import type { PieceName } from "../views/pieces/piece";
import type { Order } from "./answers";

export type LessonId = keyof typeof lessonsEn.lessons;

export interface Part {
  /** Of its text. */
  id: string;
  /** What is live in it; null for text alone. */
  piece: PieceName | null;
  /** Of a prediction, the right choice; absent where nothing is asked. */
  right?: number;
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

const plan = (networks: readonly string[], tests: LessonPlan["tests"], parts: readonly Part[]) => ({
  networks,
  tests,
  parts,
});
const text = (id: string): Part => ({ id, piece: null });
const live = (id: string, piece: PieceName): Part => ({ id, piece });
const predict = (id: string, piece: PieceName, right: number): Part => ({ id, piece, right });

/** In order; the number of a lesson is its place. */
const PLANS: Record<LessonId, Omit<LessonPlan, "id" | "number">> = {
  fooled: plan([PHOTOS], { a: [1, 2], b: [2, 0] }, [
    text("start"),
    predict("attack", "attack-photo", 2),
    text("small"),
    predict("noise", "noise-photo", 0),
    text("end"),
  ]),
  gradient: plan([PHOTOS], { a: [1, 2], b: [0, 1] }, [
    text("start"),
    predict("pixels", "eight-pixels", 1),
    text("sign"),
    predict("digit", "digit", 1),
    live("photo", "fgsm-photo"),
    text("end"),
  ]),
  training: plan([VANILLA, ADVPROP], { a: [1, 0], b: [2, 1] }, [
    text("start"),
    predict("robust", "robust-digit", 1),
    live("errors", "digit-errors"),
    text("cost"),
    predict("scenes", "two-networks", 2),
    text("end"),
  ]),
  norms: plan([ADVPROP], { a: [2, 1], b: [1, 0] }, [
    text("start"),
    predict("means", "running-means", 2),
    text("split"),
    predict("branches", "two-branches", 1),
    live("train", "live-training"),
    text("halves"),
  ]),
  algorithm: plan([ADVPROP], { a: [1, 2], b: [0, 1] }, [
    text("start"),
    live("steps", "algorithm"),
    predict("through", "strongest-attack", 1),
    text("result"),
  ]),
  maps: plan([PHOTOS], { a: [2, 0], b: [1, 2] }, [
    text("start"),
    predict("where", "maps", 2),
    text("read"),
    predict("methods", "map-methods", 1),
    text("limits"),
  ]),
  texture: plan([VANILLA, ADVPROP], { a: [0, 1], b: [2, 1] }, [
    text("start"),
    predict("conflict", "conflicts", 0),
    text("measured"),
    text("end"),
  ]),
  trust: plan([ADVPROP], { a: [1, 2], b: [0, 1] }, [
    text("start"),
    predict("weights", "shuffled-norms", 0),
    predict("labels", "random-labels", 1),
    predict("seeds", "other-seeds", 1),
    text("checks"),
  ]),
};

export const LESSONS: readonly LessonPlan[] = Object.entries(PLANS).map(([id, rest], place) => ({
  ...rest,
  id: id as LessonId,
  number: place + 1,
}));

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
