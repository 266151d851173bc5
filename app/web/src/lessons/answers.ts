/** What a reader answered: kept in the browser, and exported as one JSON file in the same form. */

import { choicesOf, choicesOfTest, LESSONS, type LessonId, testForm } from "./plan";

export const ANSWERS_FORMAT = "advprop-lens-answers";
export const ANSWERS_VERSION = 1;

/** 0: questions A come before the lesson and B after it; 1: the other way round. */
export type Order = 0 | 1;
/** Places in the list of choices; the place after the last is "I do not know", null no answer. */
export type Choice = number | null;

export interface LessonAnswers {
  before: Choice[];
  /** By the name of the part that asks. */
  predictions: Record<string, number>;
  after: Choice[];
}

/** Whose map somebody would rather trust, of two that were shown without their names. */
export interface Judgement {
  scene: string;
  left: string;
  right: string;
  preferred: "left" | "right" | "neither";
}

export interface Answers {
  format: typeof ANSWERS_FORMAT;
  version: typeof ANSWERS_VERSION;
  /** A random number, so that a file that is handed in twice is counted once. */
  reader: string;
  order: Order;
  lessons: Partial<Record<LessonId, LessonAnswers>>;
  judgements: Judgement[];
}

export function noAnswers(reader: string, order: Order): Answers {
  return {
    format: ANSWERS_FORMAT,
    version: ANSWERS_VERSION,
    ...{ reader, order, lessons: {}, judgements: [] },
  };
}

export const UNANSWERED: LessonAnswers = {
  before: [null, null],
  predictions: {},
  after: [null, null],
};

export type Unreadable = "no-json" | "foreign" | "version" | "damaged";

/** The answers of a file, or why it holds none. */
export function readAnswers(text: string): Answers | Unreadable {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "no-json";
  }
  if (!isRecord(value) || value.format !== ANSWERS_FORMAT) return "foreign";
  if (value.version !== ANSWERS_VERSION) return "version";
  return areAnswers(value) ? (value as unknown as Answers) : "damaged";
}

type Unchecked = Record<string, unknown>;

function isRecord(value: unknown): value is Unchecked {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function areAnswers(value: Unchecked): boolean {
  const { reader, order, lessons, judgements } = value;
  return (
    typeof reader === "string" &&
    /^[0-9a-f]{16}$/.test(reader) &&
    (order === 0 || order === 1) &&
    isRecord(lessons) &&
    Object.entries(lessons).every(([id, answers]) => areLessonAnswers(id, answers, order)) &&
    Array.isArray(judgements) &&
    judgements.every(isJudgement)
  );
}

function areLessonAnswers(id: string, answers: unknown, order: Order): boolean {
  const lesson = LESSONS.find((each) => each.id === id);
  if (!lesson || !isRecord(answers) || !isRecord(answers.predictions)) return false;
  const areChoices = (side: "before" | "after") => {
    const choices = answers[side];
    const most = choicesOfTest(lesson.id, testForm(order, side));
    return (
      Array.isArray(choices) &&
      choices.length === most.length &&
      choices.every((choice, index) => isChoice(choice, most[index]))
    );
  };
  const predictions = Object.entries(answers.predictions).every(([part, choice]) =>
    isChoice(choice, choicesOf(lesson.id, part) - 1),
  );
  return areChoices("before") && areChoices("after") && predictions;
}

function isChoice(choice: unknown, most: number): boolean {
  return (
    choice === null || (Number.isInteger(choice) && Number(choice) >= 0 && Number(choice) <= most)
  );
}

function isJudgement(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const names = [value.scene, value.left, value.right];
  const areNames = names.every((name) => typeof name === "string" && name.length <= 80);
  return areNames && ["left", "right", "neither"].includes(String(value.preferred));
}
