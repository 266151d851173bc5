/** A question with its choices, the two before and after a lesson, and a prediction. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Choice } from "../../lessons/answers";
import { type LessonPlan, type TestForm, testForm } from "../../lessons/plan";
import { isAnswered } from "../../lessons/progress";
import { scoreOf } from "../../lessons/statistics";
import { words } from "../../text";
import type { PredictionWords } from "../../text/lessons/shape";
import { Button } from "../fields";
import { useFocusWhenOpened, useProgress } from "./context";
import { Paragraphs, Rich } from "./rich";

interface QuestionProps {
  name: string;
  question: string;
  choices: readonly string[];
  chosen: Choice;
  /** The right choice, once it may be seen; null where there is none. */
  right: number | null;
  /** Whether it can no longer be changed. */
  isFixed: boolean;
  onChoose: (choice: number) => void;
}

export function Question(props: QuestionProps) {
  const { name, question, choices, chosen, right, isFixed, onChoose } = props;
  return (
    <fieldset class="question" disabled={isFixed}>
      <legend>
        <Rich text={question} />
      </legend>
      {choices.map((choice, index) => (
        <label key={choice} data-mark={markOf(index, chosen, right)}>
          <input
            type="radio"
            name={name}
            checked={chosen === index}
            onChange={() => onChoose(index)}
          />
          <span>
            <Rich text={choice} />
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function markOf(index: number, chosen: Choice, right: number | null): string | undefined {
  if (right === null) return undefined;
  if (index === right) return "right";
  return index === chosen ? "wrong" : undefined;
}

interface TestProps {
  lesson: LessonPlan;
  side: "before" | "after";
}

/** Two questions. What is right of the first two is said at the end: {@link FirstAnswers}. */
export function Test({ lesson, side }: TestProps) {
  const progress = useProgress();
  const form = testForm(progress.answers.order, side);
  const kept = progress.of(lesson.id)[side];
  const isDone = isAnswered(kept);
  const [chosen, setChosen] = useState<Choice[]>([null, null]);
  const shown = isDone ? kept : chosen;
  const done = useFocusWhenOpened<HTMLParagraphElement>(isDone);
  if (isDone && side === "before") {
    // What was asked is not to be looked up again.
    return (
      <p ref={done} tabIndex={-1} class="done">
        {words.lessons.test.before.done}
      </p>
    );
  }
  return (
    <section class="test" aria-labelledby={`test-${side}`}>
      <h2 id={`test-${side}`}>{words.lessons.test[side].title}</h2>
      {!isDone && <p class="hint">{words.lessons.test[side].about}</p>}
      <Questions
        {...{ lesson, form, chosen: shown, isMarked: isDone }}
        name={`${lesson.id}-${side}`}
        onChoose={(place, choice) =>
          setChosen(chosen.map((old, i) => (i === place ? choice : old)))
        }
      />
      {isDone ? (
        <p ref={done} tabIndex={-1} class="done" role="status">
          {resultOf(lesson, form, kept)}
        </p>
      ) : (
        <Button
          label={words.lessons.test[side].button}
          class="primary"
          disabled={!isAnswered(chosen)}
          onClick={() => progress.answer(lesson.id, side, chosen)}
        />
      )}
    </section>
  );
}

/** The two questions before the lesson, once it is over, with what was right. */
export function FirstAnswers({ lesson }: { lesson: LessonPlan }) {
  const progress = useProgress();
  const form = testForm(progress.answers.order, "before");
  return (
    <details class="test">
      <summary>{words.lessons.test.before.looked}</summary>
      <Questions
        {...{ lesson, form, chosen: progress.of(lesson.id).before, isMarked: true }}
        name={`${lesson.id}-first`}
        onChoose={() => {}}
      />
    </details>
  );
}

interface QuestionsProps {
  lesson: LessonPlan;
  form: TestForm;
  name: string;
  chosen: readonly Choice[];
  /** Whether what is right is shown, and nothing can be changed. */
  isMarked: boolean;
  onChoose: (place: number, choice: number) => void;
}

function Questions({ lesson, form, name, chosen, isMarked, onChoose }: QuestionsProps) {
  const texts = words.lessons.lessons[lesson.id].tests[form];
  return (
    <>
      {texts.map(({ question, choices, why }, place) => (
        <div key={question}>
          <Question
            {...{ question, chosen: chosen[place] ?? null, isFixed: isMarked }}
            name={`${name}-${place}`}
            choices={[...choices, words.lessons.doNotKnow]}
            right={isMarked ? lesson.tests[form][place] : null}
            onChoose={(choice) => onChoose(place, choice)}
          />
          {isMarked && (
            <p class="why">
              <Rich text={why} />
            </p>
          )}
        </div>
      ))}
    </>
  );
}

/** How many of the two questions were answered right. */
export function resultOf(lesson: LessonPlan, form: TestForm, choices: readonly Choice[]): string {
  const rights = Math.round(2 * scoreOf(lesson, form, choices));
  return words.lessons.test.after.result(rights, 2);
}

interface PredictionProps {
  lesson: LessonPlan;
  part: string;
  words: PredictionWords;
  right: number;
  children: ComponentChildren;
}

/** A question whose answer stays covered until the reader has chosen. */
export function Prediction({ lesson, part, words: texts, right, children }: PredictionProps) {
  const progress = useProgress();
  const kept = progress.of(lesson.id).predictions[part] ?? null;
  const [chosen, setChosen] = useState<Choice>(null);
  const isOpen = kept !== null;
  const answer = useFocusWhenOpened<HTMLDivElement>(isOpen);
  const reveal = () => chosen !== null && progress.predict(lesson.id, part, chosen);
  return (
    <section class="prediction">
      <p class="kind">{words.lessons.predict}</p>
      <Question
        {...{ question: texts.question, choices: texts.choices, right: isOpen ? right : null }}
        name={`${lesson.id}-${part}`}
        chosen={isOpen ? kept : chosen}
        isFixed={isOpen}
        onChoose={setChosen}
      />
      {!isOpen && (
        <Button
          label={words.lessons.reveal}
          class="primary"
          disabled={chosen === null}
          onClick={reveal}
        />
      )}
      {isOpen ? (
        <div ref={answer} tabIndex={-1} class="revealed">
          {children}
        </div>
      ) : (
        <div class="covered" aria-hidden="true">
          {words.lessons.covered}
        </div>
      )}
      {isOpen && <Paragraphs texts={texts.after} />}
    </section>
  );
}
