/** The dial: the answers while the norm layers move from main to another branch. */

import type { DialPoint } from "../engine/findings";
import type { Lab } from "../lab";
import type { InputKind } from "../manifest";
import { isUnchanged } from "../shown";
import { words } from "../text";
import { optionsOf, Select } from "./fields";

export function Dial({ lab }: { lab: Lab }) {
  const { shown, pending, state } = lab;
  const { network } = shown.subject;
  if (network.branches.length < 2) return null;
  const first = network.branches[0].name;
  const others = network.branches.slice(1).map(({ name }) => name);
  const { dial } = shown;
  const last = (dial?.points.clean.length ?? 2) - 1;
  const chosen = Math.round(state.blend * last);
  const choosePoint = (next: number) => lab.choose({ blend: next / last }, "blend");
  const kinds: InputKind[] = isUnchanged(shown) ? ["clean"] : ["clean", "perturbed"];
  const end = dial?.branch ?? state.dial;
  const index = network.branches.findIndex(({ name }) => name === end);
  return (
    <section class="dial" data-branch={index}>
      <h2>{words.dial(first, end)}</h2>
      <p>{words.dialAbout}</p>
      {others.length > 1 && (
        <Select
          label={words.dialBranch}
          value={state.dial}
          onChoose={(name) => lab.choose({ dial: name }, "dial")}
        >
          {optionsOf(others.map((name) => [name, name]))}
        </Select>
      )}
      {dial ? (
        <div class={pending.dial ? "turns pending" : "turns"}>
          {kinds.map((kind) => (
            <Turn
              key={kind}
              {...{ kind, chosen, choosePoint, classes: network.classes }}
              points={dial.points[kind]}
            />
          ))}
          <input
            type="range"
            {...{ min: 0, max: last, step: 1, value: chosen }}
            aria-label={words.dialSlider}
            aria-valuetext={words.dialPoint(chosen / last, end)}
            onInput={(event) => choosePoint(Number(event.currentTarget.value))}
          />
          <p class="ends">
            <span>{first}</span>
            <output>{words.dialPoint(chosen / last, end)}</output>
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
  chosen: number;
  classes: string[];
  choosePoint: (point: number) => void;
}

function Turn({ kind, points, chosen, classes, choosePoint }: TurnProps) {
  const { classIndex, probability } = points[chosen];
  return (
    <div class="turn">
      <p>
        <strong>{words.dialAnswer(words[kind], classes[classIndex], probability)}</strong>
      </p>
      <div class={`columns ${kind}`} aria-hidden="true">
        {points.map((point, index) => (
          <span
            key={index}
            data-chosen={index === chosen}
            style={{ "--share": point.probability, "--turned": index / (points.length - 1) }}
            onPointerDown={() => choosePoint(index)}
          >
            <i />
          </span>
        ))}
      </div>
      <p class="hint">{words.dialRuns(runsOf(points, classes))}</p>
    </div>
  );
}

/** Neighbouring points with one answer. */
function runsOf(points: DialPoint[], classes: string[]) {
  const runs: { name: string; from: number; to: number }[] = [];
  for (const [index, { classIndex }] of points.entries()) {
    const share = index / (points.length - 1);
    const run = runs[runs.length - 1];
    if (run?.name === classes[classIndex]) run.to = share;
    else runs.push({ name: classes[classIndex], from: share, to: share });
  }
  return runs;
}
