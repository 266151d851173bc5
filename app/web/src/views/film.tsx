/** The attack step by step: scrub, play, and the probability along it. */

import { useEffect, useState } from "preact/hooks";
import type { Lab } from "../lab";
import { followedClass, isUnchanged, type Shown } from "../shown";
import { percent, words } from "../text";
import { Button } from "./fields";

const FRAME_MS = 350;
const [WIDTH, HEIGHT] = [600, 120];

export function Film({ lab }: { lab: Lab }) {
  const { shown, pending, state } = lab;
  const { frames, step, subject, film } = shown;
  const { attack, steps } = subject.settings;
  const [isPlaying, setPlaying] = useState(false);
  // The first view has no frames yet; its film takes its place at once.
  const last = frames.length ? frames.length - 1 : attack === "pgd" ? steps : 1;
  const show = (next: number) => lab.choose({ step: next >= last ? null : next }, "step");
  useEffect(() => {
    if (!isPlaying) return;
    // Another choice ends it: its own film comes.
    if (step >= last || pending.answers) return setPlaying(false);
    const timer = setTimeout(() => show(step + 1), FRAME_MS);
    return () => clearTimeout(timer);
  }, [isPlaying, step, last, pending.answers]);
  if (last < 1 || isUnchanged(shown) || attack === "noise") return null;
  const chosen = Math.min(state.step ?? last, last);
  const play = () => {
    if (!isPlaying && chosen >= last) show(0);
    setPlaying(!isPlaying);
  };
  return (
    <section class="film" aria-label={words.film}>
      <div class="scrub">
        <Button label={isPlaying ? words.pause : words.play} onClick={play} disabled={!film} />
        <input
          type="range"
          {...{ min: 0, max: last, step: 1, value: chosen }}
          disabled={!frames.length}
          aria-label={words.filmSlider}
          aria-valuetext={words.filmStep(chosen, last)}
          onInput={(event) => show(Number(event.currentTarget.value))}
        />
        <output>{words.filmStep(chosen, last)}</output>
      </div>
      <Lines {...{ shown, last, isPending: pending.film }} />
    </section>
  );
}

interface LinesProps {
  shown: Shown;
  last: number;
  isPending: boolean;
}

function Lines({ shown, last, isPending }: LinesProps) {
  const { film, step, frames, subject } = shown;
  const { branches, classes } = subject.network;
  const names = branches.map(({ name }) => name);
  const followed = Object.fromEntries(names.map((name) => [name, followedClass(shown, name)]));
  const isFit = film?.length === frames.length;
  const x = (index: number) => (WIDTH * index) / last;
  const y = (share: number) => HEIGHT - 4 - (HEIGHT - 8) * share;
  const answersAt = film && isFit ? film[step] : null;
  return (
    <div class={isPending ? "lines pending" : "lines"}>
      <p class="hint">{words.filmAbout}</p>
      <span class="axis" aria-hidden="true">
        <span>{percent(1)}</span>
        <span>{percent(0)}</span>
      </span>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <path class="grid" d={[0, 0.5, 1].map((share) => `M0 ${y(share)}H${WIDTH}`).join("")} />
        {film &&
          isFit &&
          names.map((name, branch) => (
            <polyline
              key={name}
              data-branch={branch}
              points={film
                .map((answers, i) => `${x(i)},${y(answers[name][followed[name]])}`)
                .join(" ")}
            />
          ))}
        <path class="cursor" d={`M${x(step)} 0V${HEIGHT}`} />
      </svg>
      <p class="legend">
        {names.map((name, branch) => (
          <span key={name} data-branch={branch}>
            <i class="line" />{" "}
            {words.filmPoint(name, classes[followed[name]], answersAt?.[name][followed[name]])}
          </span>
        ))}
      </p>
    </div>
  );
}
