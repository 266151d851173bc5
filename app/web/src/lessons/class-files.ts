/** The files of a class: each reader once, and what could not be read. */

import { type Answers, readAnswers, type Unreadable } from "./answers";

export interface ClassFiles {
  /** By the reader's random number. */
  answers: ReadonlyMap<string, Answers>;
  /** Files of readers who were there already. */
  repeated: number;
  refused: readonly { name: string; reason: Unreadable }[];
}

export const NO_FILES: ClassFiles = { answers: new Map(), repeated: 0, refused: [] };

/** Of two files of one reader the fuller counts. */
export function withFiles(
  files: ClassFiles,
  added: readonly { name: string; text: string }[],
): ClassFiles {
  const answers = new Map(files.answers);
  let { repeated } = files;
  const refused = [...files.refused];
  for (const { name, text } of added) {
    const read = readAnswers(text);
    if (typeof read === "string") {
      refused.push({ name, reason: read });
      continue;
    }
    const there = answers.get(read.reader);
    if (there) repeated++;
    if (!there || fullness(read) > fullness(there)) answers.set(read.reader, read);
  }
  return { answers, repeated, refused };
}

function fullness({ lessons, judgements }: Answers): number {
  const given = Object.values(lessons).flatMap(({ before, after, predictions }) => [
    ...[...before, ...after].filter((choice) => choice !== null),
    ...Object.keys(predictions),
  ]);
  return given.length + judgements.length;
}
