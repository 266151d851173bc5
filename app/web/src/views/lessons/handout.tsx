/** A lesson on one printed page: what it says, and its questions with room for answers. */

import type { LessonPlan } from "../../lessons/plan";
import { hashOf } from "../../route";
import { words } from "../../text";
import type { LessonWords } from "../../text/lessons/shape";
import { Button } from "../fields";
import { linkFor } from "../share";
import { PageHead } from "./head";
import { Rich } from "./rich";

export function Handout({ lesson }: { lesson: LessonPlan }) {
  const texts = words.lessons.lessons[lesson.id];
  const { handout } = words.lessons;
  const parts: LessonWords["parts"] = texts.parts;
  const predictions = lesson.parts.flatMap(({ id }) => {
    const part = parts[id];
    return "question" in part ? [part] : [];
  });
  const address = linkFor(hashOf(`lesson=${lesson.number}`));
  return (
    <main class="lesson handout">
      <div class="buttons screen-only">
        <Button label={handout.print} class="primary" onClick={() => window.print()} />
        <a href={hashOf("teacher")}>{words.lessons.teacher.title}</a>
      </div>
      <PageHead title={texts.title} about={texts.about} lesson={lesson} />
      {predictions.length > 0 && <h2>{handout.predict}</h2>}
      {predictions.map(({ question, choices }) => (
        <Blank key={question} {...{ question, choices }} />
      ))}
      <h2>{handout.tasks}</h2>
      <ol class="tasks">
        {texts.tasks.map((text) => (
          <li key={text}>{text}</li>
        ))}
      </ol>
      <h2>{handout.notes}</h2>
      <div class="notes" />
      {/* Last, so that a reader who guesses has not read it. */}
      <h2>{handout.inShort}</h2>
      <ul class="points">
        {texts.inShort.map((text) => (
          <li key={text}>
            <Rich text={text} />
          </li>
        ))}
      </ul>
      {!address.startsWith("file:") && <p class="hint">{address}</p>}
    </main>
  );
}

function Blank({ question, choices }: { question: string; choices: readonly string[] }) {
  return (
    <div class="blank">
      <p>
        <Rich text={question} />
      </p>
      <ul>
        {choices.map((choice) => (
          <li key={choice}>
            <Rich text={choice} />
          </li>
        ))}
      </ul>
    </div>
  );
}
