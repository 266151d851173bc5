/** What the picture is changed by, how much, and through which branch. */

import { useMemo } from "preact/hooks";
import type { Lab } from "../lab";
import type { Norm, Settings } from "../manifest";
import {
  ATTACKS,
  firstState,
  LARGEST_EPSILON,
  METHODS,
  MOST_STEPS,
  NORMS,
  usualEpsilon,
} from "../state";
import { words } from "../text";
import { Choice, NumberField } from "./fields";

/** How a norm's radius is shown: its unit in pixel units, the slider's end and step. */
const SCALES: Record<Norm, { unit: number; most: number; step: number }> = {
  linf: { unit: 1 / 255, most: 16, step: 1 },
  l2: { unit: 1, most: 5, step: 0.1 },
};

export function Controls({ lab }: { lab: Lab }) {
  const { network, state } = lab;
  const { settings } = state;
  return (
    <div class="fields">
      <Choice
        legend={words.attack}
        name="attack"
        choices={ATTACKS}
        label={(attack) => words.attackNames[attack]}
        value={settings.attack}
        onChoose={(attack) => lab.set({ attack })}
        hint={words.attackAbout[settings.attack]}
      />
      {settings.attack !== "none" && <Strength lab={lab} />}
      {usesGradient(settings) && network.branches.length > 1 && (
        <Choice
          legend={words.through}
          name="through"
          choices={network.branches.map(({ name }) => name)}
          label={(branch) => branch}
          value={settings.attack_branch}
          onChoose={(attack_branch) => lab.set({ attack_branch })}
          hint={words.throughAbout(settings.attack_branch)}
        />
      )}
    </div>
  );
}

export function NetworkPicker({ lab }: { lab: Lab }) {
  const { network, manifest } = lab;
  if (manifest.networks.length < 2) return null;
  return (
    <label class="field">
      {words.network}
      <select
        value={network.name}
        onChange={(event) => lab.chooseNetwork(event.currentTarget.value)}
      >
        {manifest.networks.map(({ name, title }) => (
          <option key={name} value={name}>
            {title}
          </option>
        ))}
      </select>
    </label>
  );
}

function Strength({ lab }: { lab: Lab }) {
  const { norm, epsilon } = lab.state.settings;
  const { unit, most, step } = SCALES[norm];
  const value = Number((epsilon / unit).toFixed(2));
  return (
    <NumberField
      {...{ id: "strength", value, most, step, least: 0 }}
      label={words.strength}
      unit={words.strengthUnit[norm]}
      limit={Math.round(LARGEST_EPSILON[norm] / unit)}
      onChange={(number) => lab.set({ epsilon: number * unit })}
      hint={words.strengthAbout[norm](String(value))}
    />
  );
}

function usesGradient({ attack }: Settings): boolean {
  return attack === "pgd" || attack === "fgsm";
}

export function More({ lab }: { lab: Lab }) {
  const { settings } = lab.state;
  const chooseNorm = (norm: Norm) =>
    lab.set({ norm, epsilon: usualEpsilon(lab.manifest, norm) }, "norm");
  return (
    <details>
      <summary>{words.more}</summary>
      {settings.attack === "pgd" && (
        <NumberField
          {...{
            id: "steps",
            value: settings.steps,
            least: 1,
            most: 20,
            limit: MOST_STEPS,
            step: 1,
          }}
          label={words.steps}
          onChange={(steps) => lab.set({ steps: Math.round(steps) })}
        />
      )}
      {settings.attack !== "none" && (
        <Choice
          legend={words.norm}
          name="norm"
          choices={NORMS}
          label={(norm) => words.normNames[norm]}
          value={settings.norm}
          onChoose={chooseNorm}
        />
      )}
      {usesGradient(settings) && <Target lab={lab} />}
      <Choice
        legend={words.method}
        name="method"
        choices={METHODS}
        label={(method) => words.methodNames[method]}
        value={settings.method}
        onChoose={(method) => lab.set({ method })}
      />
      <button type="button" onClick={() => lab.choose(firstState(lab.manifest), "reset")}>
        {words.startAgain}
      </button>
    </details>
  );
}

function Target({ lab }: { lab: Lab }) {
  const { network, state } = lab;
  // Made once: a thousand classes need not be compared at each change.
  const options = useMemo(
    () =>
      network.classes
        .map((name, index) => ({ name, index }))
        .sort((a, b) => a.name.localeCompare(b.name))
        .map(({ name, index }) => (
          <option key={index} value={index}>
            {name}
          </option>
        )),
    [network],
  );
  const choose = (text: string) => lab.set({ target: text === "" ? null : Number(text) });
  return (
    <label class="field">
      {words.target}
      <select
        value={state.settings.target ?? ""}
        onChange={(event) => choose(event.currentTarget.value)}
      >
        <option value="">{words.noTarget}</option>
        {options}
      </select>
    </label>
  );
}
