/** The whole page. */

import { useState } from "preact/hooks";
import type { Camera } from "../camera";
import type { Lab } from "../lab";
import { afterName, mark, words } from "../text";
import { verdictOf } from "../verdict";
import { Branches } from "./branches";
import { Controls, More, NetworkPicker } from "./controls";
import { Dial } from "./dial";
import { Button } from "./fields";
import { Film } from "./film";
import { Gallery, Live } from "./gallery";
import { useChangesOf, useWindowEvents } from "./hooks";
import { HideParts, Share } from "./share";
import { Change, Stage } from "./stage";
import { LiveTraining } from "./training/live-training";

interface Props {
  lab: Lab;
  camera: Camera;
}

export function App({ lab, camera }: Props) {
  useChangesOf(lab);
  const isDropping = useDroppedPictures(lab, camera);
  const { hide } = lab.state;
  const shows = (part: (typeof hide)[number]) => !hide.includes(part);
  return (
    <main class={shows("controls") || shows("pictures") ? "page" : "page wide"}>
      {isDropping && <div class="dropping">{words.dropHere}</div>}
      <Head lab={lab} isLong={shows("about")} />
      <div class="result">
        <VerdictLine lab={lab} />
        <Live lab={lab} camera={camera} />
      </div>
      <Stage lab={lab} />
      {!camera.isOn && shows("film") && <Film lab={lab} />}
      {(shows("controls") || shows("pictures")) && (
        <aside class="controls" aria-label={words.controls}>
          {shows("controls") && <NetworkPicker lab={lab} />}
          <fieldset class="plain" disabled={lab.loading === "failed"}>
            {shows("controls") && <Controls lab={lab} />}
            {shows("pictures") && <Gallery lab={lab} camera={camera} />}
            {shows("controls") && <More lab={lab} />}
          </fieldset>
          {shows("controls") && <Share lab={lab} />}
          {shows("controls") && <HideParts lab={lab} />}
        </aside>
      )}
      <Change lab={lab} />
      <div class="details">
        <Branches lab={lab} />
        {!camera.isOn && shows("dial") && <Dial lab={lab} />}
        {shows("training") && <LiveTraining manifest={lab.manifest} />}
      </div>
      <Problems lab={lab} />
    </main>
  );
}

function Head({ lab, isLong }: { lab: Lab; isLong: boolean }) {
  const { network, manifest } = lab;
  const [start, first, middle, second, end] = words.introduction;
  return (
    <header>
      <p class="title">{manifest.title}</p>
      <h1>{words.question}</h1>
      {isLong && (
        <p class="introduction">
          {start}
          <b data-branch="0">{first}</b>
          {middle}
          <b data-branch="1">{second}</b>
          {end} <small>{words.aboutNetwork(network.about)}</small>
        </p>
      )}
      {isLong && <Glossary />}
    </header>
  );
}

function Glossary() {
  return (
    <details class="glossary">
      <summary>{words.glossaryTitle}</summary>
      <dl>
        {words.glossary.map(([term, meaning]) => (
          <div key={term}>
            <dt>{term}</dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function Problems({ lab }: { lab: Lab }) {
  return (
    <div class="problems" role="alert">
      {lab.problems.map((problem) => (
        <p key={problem}>
          {problem} <Button label={words.dismiss} onClick={() => lab.dismiss(problem)} />
        </p>
      ))}
    </div>
  );
}

function VerdictLine({ lab }: { lab: Lab }) {
  const { shown, pending } = lab;
  const { attack, outcomes, success } = verdictOf(shown);
  return (
    <>
      <Progress lab={lab} />
      <p
        class={pending.answers ? "verdict pending" : "verdict"}
        role={lab.live ? undefined : "status"}
      >
        {pending.answers && words.stillShown + mark("space")}
        <span class="outcome">
          {attack}
          {mark("colon")}
          {outcomes.map(({ branch, text }, index) => (
            <span key={branch}>
              <b data-branch={index}>{branch}</b>
              {afterName()}
              {text}
              {mark(index < outcomes.length - 1 ? "semicolon" : "stop")}
            </span>
          ))}
          {mark("space")}
          {success && <small>{success}</small>}
        </span>
      </p>
    </>
  );
}

/** A fixed slot: the network's loading, then the steps of each attack. */
function Progress({ lab }: { lab: Lab }) {
  const { loading, progress, network } = lab;
  const isLoading = typeof loading === "object";
  const share = isLoading ? loading.share : progress ? progress.step / progress.steps : 0;
  const text = isLoading
    ? words.loading(network.title)
    : progress
      ? words.working(progress.step, progress.steps)
      : "";
  return (
    <div class="progress">
      {text && <progress max={1} value={share} aria-label={text} />}
      <small>{text}</small>
    </div>
  );
}

/** Takes pictures that are dropped on the page or pasted; whether one is held over it. */
function useDroppedPictures(lab: Lab, camera: Camera): boolean {
  const [isOver, setOver] = useState(false);
  const take = (items: DataTransfer | null) => {
    const files = [...(items?.files ?? [])];
    if (!files.length) return false;
    if (camera.isOn) camera.stop();
    void lab.openPicture(files.find((file) => file.type.startsWith("image/")) ?? files[0]);
    return true;
  };
  useWindowEvents({
    dragover(event) {
      event.preventDefault();
      setOver(true);
    },
    dragleave(event) {
      if (!event.relatedTarget) setOver(false);
    },
    drop(event) {
      event.preventDefault();
      setOver(false);
      if (!take(event.dataTransfer)) lab.report(words.noFile);
    },
    paste(event) {
      if (take(event.clipboardData)) event.preventDefault();
    },
  });
  return isOver;
}
