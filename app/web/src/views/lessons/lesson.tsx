/** A lesson: two questions, its parts, two questions of the same kind. */

import { useEffect } from "preact/hooks";
import { LESSONS, type LessonPlan, type Part } from "../../lessons/plan";
import { isAnswered } from "../../lessons/progress";
import { hashOf } from "../../route";
import { words } from "../../text";
import type { LessonWords } from "../../text/lessons/shape";
import { Piece } from "../pieces/piece";
import { Warning } from "../warning";
import { useLessonContext, useProgress } from "./context";
import { Export } from "./export";
import { PageHead } from "./head";
import { FirstAnswers, Prediction, Test } from "./questions";
import { Paragraphs } from "./rich";

export function LessonPage({ lesson }: { lesson: LessonPlan }) {
  const { manifest, queue } = useLessonContext();
  const progress = useProgress();
  const texts = words.lessons.lessons[lesson.id];
  const { before, after, predictions } = progress.of(lesson.id);
  const names = manifest.networks.map(({ name }) => name);
  const missing = lesson.networks.filter((name) => !names.includes(name));
  const isBegun = isAnswered(before);
  const isOver = isAnswered(after);
  // What comes later may show what is asked here.
  const unguessed = lesson.parts.findIndex(
    ({ id, right }) => right !== undefined && predictions[id] === undefined,
  );
  const isHeldBack = unguessed >= 0 && !isOver;
  useEffect(() => {
    // While the first part is read, the network that it leads to is opened.
    const first = lesson.networks.find((name) => names.includes(name));
    if (isBegun && first !== undefined) queue.prepare(first);
  }, [isBegun]);
  const next = LESSONS.find(({ number }) => number === lesson.number + 1);
  return (
    <main class="lesson">
      <PageHead title={texts.title} about={texts.about} lesson={lesson} />
      {missing.length > 0 && <Warning text={words.lessons.missingNetworks(missing)} />}
      <Test lesson={lesson} side="before" />
      {isBegun && (
        <>
          {(isHeldBack ? lesson.parts.slice(0, unguessed + 1) : lesson.parts).map((part) => (
            <LessonPart key={part.id} {...{ lesson, part }} />
          ))}
          {isHeldBack ? (
            <p class="hint">{words.lessons.goesOn}</p>
          ) : (
            <Test lesson={lesson} side="after" />
          )}
          {isOver && <FirstAnswers lesson={lesson} />}
        </>
      )}
      {isOver && (
        <footer>
          {next ? (
            <a class="primary" href={hashOf(`lesson=${next.number}`)}>
              {words.lessons.next(words.lessons.lessons[next.id].title)}
            </a>
          ) : (
            <a class="primary" href={hashOf("judge")}>
              {words.lessons.judge.title}
            </a>
          )}
          <a href={hashOf("lessons")}>{words.lessons.all}</a>
          <Export />
        </footer>
      )}
    </main>
  );
}

function LessonPart({ lesson, part }: { lesson: LessonPlan; part: Part }) {
  const parts: LessonWords["parts"] = words.lessons.lessons[lesson.id].parts;
  const texts = parts[part.id];
  const piece = part.piece && <Piece name={part.piece} />;
  if ("question" in texts) {
    const { right } = part;
    if (right === undefined) throw new TypeError(`${part.id} asks without a right choice`);
    return <Prediction {...{ lesson, part: part.id, words: texts, right }}>{piece}</Prediction>;
  }
  return (
    <section class="part">
      <Paragraphs texts={texts} />
      {piece}
    </section>
  );
}
