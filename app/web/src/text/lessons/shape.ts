/** What the text of a lesson holds, in every language. */

/** A text; `**main**` is bold, and a branch's name then has the branch's colour. */
export type Texts = readonly string[];

export interface PredictionWords {
  question: string;
  choices: Texts;
  /** Shown with the answer. */
  after: Texts;
}

export interface TestWords {
  question: string;
  choices: Texts;
  /** Why the right answer is right. */
  why: string;
}

export interface LessonWords {
  title: string;
  /** One sentence below the title. */
  about: string;
  /** For the handout. */
  inShort: Texts;
  /** For the handout: to do together, without a right answer. */
  tasks: Texts;
  parts: Record<string, Texts | PredictionWords>;
  /** Questions a and b of one place ask after the same idea. */
  tests: Record<"a" | "b", readonly [TestWords, TestWords]>;
}
