/** For the teacher: a link for the class, what the class exported added up, handouts. */

import { LESSONS } from "../../lessons/plan";
import { hashOf } from "../../route";
import { words } from "../../text";
import { useTitle } from "../lessons/lesson";
import { ClassResults } from "./class-results";
import { LinkBuilder } from "./link-builder";

export function Teacher() {
  const texts = words.lessons.teacher;
  const heading = useTitle(texts.title);
  return (
    <main class="lesson">
      <header>
        <h1 ref={heading} tabIndex={-1}>
          {texts.title}
        </h1>
        <p class="introduction">{texts.about}</p>
      </header>
      <LinkBuilder />
      <ClassResults />
      <section>
        <h2>{texts.handouts}</h2>
        <p>{texts.handoutsAbout}</p>
        <ol>
          {LESSONS.map(({ id, number }) => (
            <li key={id}>
              <a href={hashOf(`handout=${number}`)}>{words.lessons.lessons[id].title}</a>
            </li>
          ))}
        </ol>
      </section>
      <a href={hashOf("lessons")}>{words.lessons.all}</a>
    </main>
  );
}
