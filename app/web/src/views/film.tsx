/** The attack step by step: scrub, play, and the probability along it. */

import { useEffect, useState } from "preact/hooks";
import type { Lab } from "../lab";
import type { Shown } from "../shown";
import { percent, words } from "../text";

const FRAME_MS = 350;
const [WIDTH, HEIGHT] = [600, 120];

export function Film({ lab }: { lab: Lab }) {
  const { shown, pending, state } = lab;
  const { frames, step, subject, film, label } = shown;
  const [isPlaying, setPlaying] = useState(false);
  const last = frames.length - 1;
  const show = (next: number) => lab.choose({ step: next >= last ? null : next }, "step");
  useEffect(() => {
    if (!isPlaying) return;
    if (step >= last) return setPlaying(false);
    const timer = setTimeout(() => show(step + 1), FRAME_MS);
    return () => clearTimeout(timer);
  }, [isPlaying, step, last]);
  if (last < 1) return null;
  const chosen = Math.min(state.step ?? last, last);
  const play = () => {
    if (!isPlaying && chosen >= last) show(0);
    setPlaying(!isPlaying);
  };
  return (
    <section class="film">
      <h2>{words.film}</h2>
      <p>{words.filmAbout(subject.network.classes[label])}</p>
      <Lines {...{ shown, isPending: pending.film }} />
      <div class="scrub">
        <button type="button" onClick={play} disabled={!film}>
          {isPlaying ? words.pause : words.play}
        </button>
        <input
          type="range"
          {...{ min: 0, max: last, step: 1, value: chosen }}
          aria-label={words.filmSlider}
          aria-valuetext={words.filmStep(chosen, last)}
          onInput={(event) => show(Number(event.currentTarget.value))}
        />
        <output>{words.filmStep(chosen, last)}</output>
      </div>
    </section>
  );
}

function Lines({ shown, isPending }: { shown: Shown; isPending: boolean }) {
  const { film, label, step, frames, subject } = shown;
  const names = subject.network.branches.map(({ name }) => name);
  const isFit = film?.length === frames.length;
  const x = (index: number) => (WIDTH * index) / (frames.length - 1);
  const y = (share: number) => HEIGHT - 4 - (HEIGHT - 8) * share;
  const said = film && isFit ? film[step] : null;
  return (
    <div class={isPending ? "lines pending" : "lines"}>
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
              points={film.map((answers, i) => `${x(i)},${y(answers[name][label])}`).join(" ")}
            />
          ))}
        <path class="cursor" d={`M${x(step)} 0V${HEIGHT}`} />
      </svg>
      <p class="legend">
        {names.map((name, branch) => (
          <span key={name} data-branch={branch}>
            <i class="line" /> {said ? words.filmPoint(name, said[name][label]) : name}
          </span>
        ))}
      </p>
    </div>
  );
}
