/** How far a reader is: held in this browser alone. */

import { Observable } from "../observable";
import {
  type Answers,
  type Choice,
  type Judgement,
  type LessonAnswers,
  noAnswers,
  type Order,
  readAnswers,
  UNANSWERED,
} from "./answers";
import type { LessonId } from "./plan";

const KEY = "advprop-lens-answers";
const READER_BYTES = 8;

export class Progress extends Observable {
  answers: Answers;
  /** Whether the browser keeps answers beyond this visit. */
  isKept = true;

  /** @param storage Throws, or is null, where the browser forbids it. */
  constructor(readonly storage: () => Storage | null) {
    super();
    this.answers = this.#read() ?? freshAnswers();
    this.#write();
  }

  /** Takes over what another tab has written. */
  reload(): void {
    this.answers = this.#read() ?? this.answers;
    this.changed();
  }

  of(lesson: LessonId): LessonAnswers {
    return this.answers.lessons[lesson] ?? UNANSWERED;
  }

  answer(lesson: LessonId, side: "before" | "after", choices: Choice[]): void {
    this.#set(lesson, { ...this.of(lesson), [side]: choices });
  }

  predict(lesson: LessonId, part: string, choice: number): void {
    const answers = this.of(lesson);
    this.#set(lesson, { ...answers, predictions: { ...answers.predictions, [part]: choice } });
  }

  judge(judgement: Judgement): void {
    this.#change({ ...this.answers, judgements: [...this.answers.judgements, judgement] });
  }

  /** For the next reader of a shared device. */
  forget(): void {
    this.#change(freshAnswers());
  }

  #set(lesson: LessonId, answers: LessonAnswers): void {
    this.#change({ ...this.answers, lessons: { ...this.answers.lessons, [lesson]: answers } });
  }

  #change(answers: Answers): void {
    this.answers = answers;
    this.#write();
    this.changed();
  }

  #read(): Answers | null {
    try {
      const text = this.storage()?.getItem(KEY) ?? null;
      const answers = text === null ? "no-json" : readAnswers(text);
      return typeof answers === "string" ? null : answers;
    } catch {
      return null; // storage is forbidden: #write says so
    }
  }

  #write(): void {
    try {
      const storage = this.storage();
      storage?.setItem(KEY, JSON.stringify(this.answers));
      this.isKept = storage !== null;
    } catch {
      this.isKept = false;
    }
  }
}

function freshAnswers(): Answers {
  const [chance, ...bytes] = crypto.getRandomValues(new Uint8Array(1 + READER_BYTES));
  const order: Order = chance % 2 === 0 ? 0 : 1;
  return noAnswers(bytes.map((byte) => byte.toString(16).padStart(2, "0")).join(""), order);
}

/** Both questions of a side are answered. */
export function isAnswered(choices: readonly Choice[]): boolean {
  return choices.every((choice) => choice !== null);
}
