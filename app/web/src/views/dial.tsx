/** The dial: the answers while the norm layers move from main to another branch. */

import { useState } from "preact/hooks";
import type { DialPoint } from "../engine/findings";
import type { Lab } from "../lab";
import type { InputKind } from "../manifest";
import { words } from "../text";

const KINDS: InputKind[] = ["clean", "perturbed"];

export function Dial({ lab }: { lab: Lab }) {
  const { shown, pending, state } = lab;
  const { network } = shown.subject;
  const [place, setPlace] = useState(5);
  if (network.branches.length < 2) return null;
  const first = network.branches[0].name;
  const others = network.branches.slice(1).map(({ name }) => name);
  const { dial } = shown;
  const end = dial?.branch ?? state.dial;
  const index = network.branches.findIndex(({ name }) => name === end);
  return (
    <section class="dial" data-branch={index}>
      <h2>{words.dial(first, end)}</h2>
      <p>{words.dialAbout}</p>
      {others.length > 1 && (
        <label class="field">
          {words.dialBranch}
          <select
            value={state.dial}
            onChange={(event) => lab.choose({ dial: event.currentTarget.value }, "dial")}
          >
            {others.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      {dial ? (
        <div class={pending.dial ? "turns pending" : "turns"}>
          {KINDS.map((kind) => (
            <Turn
              key={kind}
              {...{ kind, place, points: dial.points[kind], classes: network.classes, setPlace }}
            />
          ))}
          <input
            type="range"
            {...{ min: 0, max: dial.points.clean.length - 1, step: 1, value: place }}
            aria-label={words.dialSlider}
            aria-valuetext={words.dialPoint(place / (dial.points.clean.length - 1), end)}
            onInput={(event) => setPlace(Number(event.currentTarget.value))}
          />
          <p class="ends">
            <span>{first}</span>
            <output>{words.dialPoint(place / (dial.points.clean.length - 1), end)}</output>
            <span>{end}</span>
          </p>
        </div>
      ) : (
        <p class="hint">{words.dialPending}</p>
      )}
    </section>
  );
}

interface TurnProps {
  kind: InputKind;
  points: DialPoint[];
  place: number;
  classes: string[];
  setPlace: (place: number) => void;
}

function Turn({ kind, points, place, classes, setPlace }: TurnProps) {
  const { classIndex, probability } = points[place];
  return (
    <div class="turn">
      <p>
        <strong>{words.dialAnswer(words[kind], classes[classIndex], probability)}</strong>{" "}
        <span class="spoken">{words.dialRuns(words[kind], runsOf(points, classes))}</span>
      </p>
      <div class={`columns ${kind}`} aria-hidden="true">
        {points.map((point, index) => (
          <span
            key={index}
            data-chosen={index === place}
            style={{ "--share": point.probability, "--turned": index / (points.length - 1) }}
            onPointerDown={() => setPlace(index)}
          >
            <i />
          </span>
        ))}
      </div>
      <p class="runs" aria-hidden="true">
        {runsOf(points, classes).map(({ name, count, from }) => (
          <span key={from} style={{ flexGrow: count }}>
            {name}
          </span>
        ))}
      </p>
    </div>
  );
}

/** Neighbouring points with one answer. */
function runsOf(points: DialPoint[], classes: string[]) {
  const runs: { name: string; from: number; to: number; count: number }[] = [];
  for (const [index, { classIndex }] of points.entries()) {
    const share = index / (points.length - 1);
    const run = runs[runs.length - 1];
    if (run?.name === classes[classIndex]) Object.assign(run, { to: share, count: run.count + 1 });
    else runs.push({ name: classes[classIndex], from: share, to: share, count: 1 });
  }
  return runs;
}
