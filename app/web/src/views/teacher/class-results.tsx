/** What a class exported, added up: gains by lesson, predictions, preferred maps. */

import { useState } from "preact/hooks";
import type { Answers } from "../../lessons/answers";
import { type ClassFiles, NO_FILES, withFiles } from "../../lessons/class-files";
import { CANDIDATE_NAMES } from "../../lessons/duels";
import { LESSONS } from "../../lessons/plan";
import { strengthsOf } from "../../lessons/preferences";
import { gainOf } from "../../lessons/statistics";
import { percent, points, words } from "../../text";
import { FileButton } from "../fields";
import { useWindowEvents } from "../hooks";
import { Preferences } from "../lessons/preferences";

export function ClassResults() {
  const texts = words.lessons.teacher;
  const [files, setFiles] = useState<ClassFiles>(NO_FILES);
  const isOver = useDroppedFiles((chosen) => void add(chosen));
  const add = async (chosen: readonly File[]) => {
    const read = await Promise.all(
      chosen.map(async (file) => ({ name: file.name, text: await file.text() })),
    );
    setFiles((old) => withFiles(old, read));
  };
  const classAnswers = [...files.answers.values()];
  return (
    <section class="class-results">
      <h2>{texts.results}</h2>
      <p>{texts.resultsAbout}</p>
      <div class={isOver ? "drop over" : "drop"}>
        <FileButton
          label={texts.addFiles}
          accept=".json,application/json"
          multiple
          onChoose={(chosen) => void add(chosen)}
        />
        <span class="hint">{texts.orDrop}</span>
      </div>
      <p role="status">{texts.counted(classAnswers.length, files.repeated)}</p>
      {files.refused.length > 0 && (
        <ul class="refusals" role="alert">
          {files.refused.map(({ name, reason }) => (
            <li key={`${name} ${reason}`}>{texts.refused[reason](name)}</li>
          ))}
        </ul>
      )}
      {classAnswers.length > 0 && (
        <>
          <Gains files={classAnswers} />
          <ClassPreferences files={classAnswers} />
        </>
      )}
    </section>
  );
}

/** Takes files that are dropped anywhere on the page; whether some are held over it. */
function useDroppedFiles(add: (files: File[]) => void): boolean {
  const [isOver, setOver] = useState(false);
  const over = (event: DragEvent) => {
    event.preventDefault();
    setOver(event.type === "dragover");
  };
  useWindowEvents({
    dragover: over,
    dragleave: over,
    drop(event) {
      over(event);
      add([...(event.dataTransfer?.files ?? [])]);
    },
  });
  return isOver;
}

function Gains({ files }: { files: Answers[] }) {
  const texts = words.lessons.teacher;
  const rows = LESSONS.map((lesson) => ({ lesson, gain: gainOf(lesson, files) }));
  return (
    <>
      <table class="numbers">
        <caption>{texts.gains}</caption>
        <thead>
          <tr>
            <th scope="col">{texts.lesson}</th>
            <th scope="col">{texts.readers}</th>
            <th scope="col">{texts.before}</th>
            <th scope="col">{texts.after}</th>
            <th scope="col">{texts.gain}</th>
            <th scope="col">{words.lessons.interval}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ lesson, gain }) => (
            <tr key={lesson.id}>
              <th scope="row">
                {lesson.number}. {words.lessons.lessons[lesson.id].title}
              </th>
              <td data-label={texts.readers}>{gain?.readers ?? 0}</td>
              <td data-label={texts.before}>{gain ? percent(gain.before) : "–"}</td>
              <td data-label={texts.after}>{gain ? percent(gain.after) : "–"}</td>
              <td data-label={texts.gain}>{gain ? points(gain.gain) : "–"}</td>
              <td data-label={words.lessons.interval}>
                {gain?.interval
                  ? words.lessons.range(points(gain.interval.low), points(gain.interval.high))
                  : "–"}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="hint">{texts.gainMethod}</p>
    </>
  );
}

function ClassPreferences({ files }: { files: Answers[] }) {
  const texts = words.lessons.teacher;
  const groups = files.map(({ judgements }) => judgements).filter(({ length }) => length > 0);
  const judged = new Set(groups.flat().flatMap(({ left, right }) => [left, right]));
  const names = CANDIDATE_NAMES.filter((name) => judged.has(name));
  if (names.length < 2) return <p>{texts.noJudgements}</p>;
  return (
    <>
      <h3>{words.lessons.judge.title}</h3>
      <Preferences
        strengths={strengthsOf(names, groups)}
        about={texts.preferences(groups.length)}
      />
    </>
  );
}
