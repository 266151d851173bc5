/** For the teacher: a link for the class, what the class exported added up, handouts. */

import { hashOf } from "../../route";
import { words } from "../../text";
import { LessonList, PageHead } from "../lessons/head";
import { ClassResults } from "./class-results";
import { LinkBuilder } from "./link-builder";

export function Teacher() {
  const texts = words.lessons.teacher;
  return (
    <main class="lesson">
      <PageHead title={texts.title} about={texts.about} />
      <LinkBuilder />
      <ClassResults />
      <section>
        <h2>{texts.handouts}</h2>
        <p>{texts.handoutsAbout}</p>
        <LessonList opens="handout" />
      </section>
      <a href={hashOf("lessons")}>{words.lessons.all}</a>
    </main>
  );
}
