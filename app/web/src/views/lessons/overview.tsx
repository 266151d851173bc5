/** All lessons, and how far the reader is. */

import { LESSONS, type LessonPlan, testForm } from "../../lessons/plan";
import { isAnswered, type Progress } from "../../lessons/progress";
import { scoreOf } from "../../lessons/statistics";
import { hashOf } from "../../route";
import { words } from "../../text";
import { useProgress } from "./context";
import { Export } from "./export";
import { useTitle } from "./lesson";

export function Overview({ unknown }: { unknown: string | null }) {
  const progress = useProgress();
  const texts = words.lessons;
  const heading = useTitle(texts.title);
  return (
    <main class="lesson">
      <header>
        <h1 ref={heading} tabIndex={-1}>
          {texts.title}
        </h1>
        <p class="introduction">{texts.about}</p>
      </header>
      {unknown !== null && (
        <p class="warning" role="alert">
          {texts.unknownLesson(unknown, LESSONS.length)}
        </p>
      )}
      <ol class="overview">
        {LESSONS.map((lesson) => (
          <li key={lesson.id}>
            <a href={hashOf(`lesson=${lesson.number}`)}>{texts.lessons[lesson.id].title}</a>
            <p>{texts.lessons[lesson.id].about}</p>
            <p class="hint">{stateOf(lesson, progress)}</p>
          </li>
        ))}
      </ol>
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

function stateOf(lesson: LessonPlan, progress: Progress): string {
  const { before, after, predictions } = progress.of(lesson.id);
  if (isAnswered(after)) {
    const form = testForm(progress.answers.order, "after");
    return words.lessons.test.after.result(Math.round(2 * scoreOf(lesson, form, after)), 2);
  }
  const isBegun = isAnswered(before) || Object.keys(predictions).length > 0;
  return isBegun ? words.lessons.begun : words.lessons.minutes;
}
