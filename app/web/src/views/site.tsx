/** All pages of the file: the lab, and where the file holds them the lessons, with doors to each. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { Camera } from "../camera";
import { Lab } from "../lab";
import { Progress } from "../lessons/progress";
import type { Manifest } from "../manifest";
import { NetworkQueue } from "../network-queue";
import { hashOf, keepLanguage, type Route, readRoute } from "../route";
import { writeLink } from "../state";
import { LANGUAGES, language, speak, spokenOf, words } from "../text";
import { App } from "./app";
import { languageOptions } from "./fields";
import { useWindowEvents } from "./hooks";
import { LessonContext } from "./lessons/context";
import { Handout } from "./lessons/handout";
import { Judge } from "./lessons/judge";
import { LessonPage } from "./lessons/lesson";
import { Overview } from "./lessons/overview";
import { Teacher } from "./teacher/page";

function followed(): Route {
  const route = readRoute(location.hash);
  const asked = route.language !== null && route.language in LANGUAGES ? route.language : null;
  keepLanguage(asked);
  speak(asked ?? spokenOf(navigator.languages));
  return route;
}

/** @param onLab Called once, when the lab is first shown. */
export function Site({ manifest, onLab }: { manifest: Manifest; onLab: (lab: Lab) => void }) {
  const [route, setRoute] = useState(followed);
  const [lab, setLab] = useState<{ lab: Lab; camera: Camera } | null>(null);
  const shared = useMemo(
    () => ({
      queue: new NetworkQueue(manifest),
      // A page without lessons writes nothing into the browser.
      progress: new Progress(() => (manifest.lessons ? window.localStorage : null)),
    }),
    [manifest],
  );
  const follow = () => setRoute(followed());
  useWindowEvents({
    hashchange: follow,
    popstate: follow,
    storage: () => shared.progress.reload(),
  });
  const isLab = route.page === "lab" || manifest.lessons === null;
  useEffect(() => {
    if (!isLab || lab) return;
    const started = new Lab(manifest);
    setLab({ lab: started, camera: new Camera(started) });
    onLab(started);
  }, [isLab]);
  useEffect(() => {
    if (!isLab) window.scrollTo(0, 0);
    else {
      document.title = manifest.title;
      void shared.queue.end();
    }
    if (lab && !isLab && lab.camera.isOn) lab.camera.stop();
  }, [isLab, route.page, route.lesson]);
  const doors = <Doors {...{ manifest, route, lab: lab?.lab ?? null }} />;
  const wantsLessons = route.page !== "lab" || route.unknown !== null;
  // The key draws everything anew in another language.
  return (
    <div class="site" key={language}>
      {!route.hidesDoors && doors}
      {manifest.lessons === null && wantsLessons && (
        <p class="no-lessons" role="alert">
          {words.noLessons}
        </p>
      )}
      {isLab && lab && <App {...lab} />}
      {!isLab && manifest.lessons && (
        <LessonContext.Provider value={{ ...shared, manifest, material: manifest.lessons }}>
          <LessonsPage route={route} />
        </LessonContext.Provider>
      )}
    </div>
  );
}

function LessonsPage({ route }: { route: Route }) {
  const { page, lesson } = route;
  if (page === "lesson" && lesson) return <LessonPage lesson={lesson} key={lesson.id} />;
  if (page === "handout" && lesson) return <Handout lesson={lesson} />;
  if (page === "judge") return <Judge />;
  if (page === "teacher") return <Teacher />;
  return <Overview unknown={route.unknown} />;
}

interface DoorsProps {
  manifest: Manifest;
  route: Route;
  lab: Lab | null;
}

function Doors({ manifest, route, lab }: DoorsProps) {
  const isLab = route.page === "lab";
  return (
    <nav class="doors" aria-label={words.doors}>
      <span class="title">{manifest.title}</span>
      {manifest.lessons !== null && (
        <>
          <a href={hashOf(lab ? writeLink(lab.state) : "v=1")} aria-current={isLab && "page"}>
            {words.lab}
          </a>
          <a href={hashOf("lessons")} aria-current={!isLab && "page"}>
            {words.lessonsDoor}
          </a>
        </>
      )}
      <LanguagePicker />
    </nav>
  );
}

function LanguagePicker() {
  const choose = (code: string) => {
    const asked = location.hash.replace(/^#/, "").replace(/(^|&)lang=[^&]*/, "");
    location.hash = hashOf(asked.replace(/^&/, ""), code);
  };
  return (
    <label class="language">
      <span class="spoken">{words.language}</span>
      <select value={language} onChange={(event) => choose(event.currentTarget.value)}>
        {languageOptions()}
      </select>
    </label>
  );
}
