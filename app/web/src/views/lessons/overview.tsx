/** All lessons, and how far the reader is. */

import { LESSONS, type LessonPlan, testForm } from "../../lessons/plan";
import { isAnswered, type Progress } from "../../lessons/progress";
import { hashOf } from "../../route";
import { words } from "../../text";
import { Warning } from "../warning";
import { useProgress } from "./context";
import { Export } from "./export";
import { LessonList, PageHead } from "./head";
import { resultOf } from "./questions";

export function Overview({ unknown }: { unknown: string | null }) {
  const progress = useProgress();
  const texts = words.lessons;
  return (
    <main class="lesson">
      <PageHead title={texts.title} about={texts.about} />
      {unknown !== null && <Warning text={texts.unknownLesson(unknown, LESSONS.length)} />}
      <LessonList
        opens="lesson"
        class="overview"
        below={(lesson) => (
          <>
            <p>{texts.lessons[lesson.id].about}</p>
            <State {...{ lesson, progress }} />
          </>
        )}
      />
      <section>
        <h2>
          <a href={hashOf("judge")}>{texts.judge.title}</a>
        </h2>
        <p>{texts.judge.about}</p>
        <p class="hint">{texts.judge.judged(progress.answers.judgements.length)}</p>
      </section>
      <Export />
      <p>
        <a href={hashOf("teacher")}>{texts.teacher.title}</a>
      </p>
    </main>
  );
}

/** How far the reader is in a lesson; nothing where it was not begun. */
function State({ lesson, progress }: { lesson: LessonPlan; progress: Progress }) {
  const { before, after, predictions } = progress.of(lesson.id);
  if (isAnswered(after)) {
    const form = testForm(progress.answers.order, "after");
    return <p class="hint">{resultOf(lesson, form, after)}</p>;
  }
  const isBegun = isAnswered(before) || Object.keys(predictions).length > 0;
  return isBegun ? <p class="hint">{words.lessons.begun}</p> : null;
}
