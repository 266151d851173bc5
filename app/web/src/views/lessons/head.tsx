/** What several pages of the lessons begin with, and the list of all lessons. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { LESSONS, type LessonPlan } from "../../lessons/plan";
import { hashOf } from "../../route";
import { words } from "../../text";
import { useLessonContext } from "./context";

interface HeadProps {
  title: string;
  about: string;
  /** Above the title: which lesson it is. */
  lesson?: LessonPlan;
}

/** Puts the title above the tab, and the reader at the heading of the page that opened. */
export function PageHead({ title, about, lesson }: HeadProps) {
  const { manifest } = useLessonContext();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} – ${manifest.title}`;
    heading.current?.focus({ preventScroll: true });
  }, [title, manifest]);
  return (
    <header>
      {lesson && <p class="title">{words.lessons.numbered(lesson.number, LESSONS.length)}</p>}
      <h1 ref={heading} tabIndex={-1}>
        {title}
      </h1>
      <p class="introduction">{about}</p>
    </header>
  );
}

interface ListProps {
  /** What a link to a lesson opens. */
  opens: "lesson" | "handout";
  class?: string;
  /** Below the link. */
  below?: (lesson: LessonPlan) => ComponentChildren;
}

export function LessonList({ opens, class: className, below }: ListProps) {
  return (
    <ol class={className}>
      {LESSONS.map((lesson) => (
        <li key={lesson.id}>
          <a href={hashOf(`${opens}=${lesson.number}`)}>{words.lessons.lessons[lesson.id].title}</a>
          {below?.(lesson)}
        </li>
      ))}
    </ol>
  );
}
