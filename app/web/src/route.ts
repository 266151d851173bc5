/** Which page a link opens. The lab's own part of a link is read by `state.ts`. */

import { LESSONS, type LessonPlan } from "./lessons/plan";

export type Page = "lab" | "lessons" | "lesson" | "judge" | "teacher" | "handout";

export interface Route {
  page: Page;
  /** Of a lesson and of a handout. */
  lesson: LessonPlan | null;
  /** What a link asks for and the page does not have; null where it has it. */
  unknown: string | null;
  /** The code of the language that the link asks for. */
  language: string | null;
  hidesDoors: boolean;
}

const WITHOUT_LESSON: readonly Page[] = ["lessons", "judge", "teacher"];
const WITH_LESSON: readonly Page[] = ["lesson", "handout"];

export function readRoute(link: string): Route {
  const values = new URLSearchParams(link.replace(/^#/, "").replace(/\+/g, "%2B"));
  const shared = {
    language: values.get("lang"),
    hidesDoors: (values.get("hide") ?? "").split(",").includes("doors"),
  };
  const plain = { ...shared, lesson: null, unknown: null };
  for (const page of WITH_LESSON) {
    const asked = values.get(page);
    if (asked === null) continue;
    const lesson = LESSONS.find(({ number }) => String(number) === asked);
    if (lesson) return { ...shared, page, lesson, unknown: null };
    return { ...plain, page: "lessons", unknown: asked };
  }
  const page = WITHOUT_LESSON.find((each) => values.has(each));
  return { ...plain, page: page ?? "lab" };
}

/** The link's language, kept by every link that the page writes from then on. */
let kept: string | null = null;

export function keepLanguage(code: string | null): void {
  kept = code;
}

/** A link of this page: `lesson=1` with what every link keeps. */
export function hashOf(asked: string, language = kept, hidesDoors = false): string {
  const parts = [asked, hidesDoors ? "hide=doors" : "", language ? `lang=${language}` : ""];
  return `#${parts.filter(Boolean).join("&")}`;
}
