/** What the picture is changed by, how much, and through which branch. */

import type { Lab } from "../lab";
import type { Norm, Settings } from "../manifest";
import { firstState, LARGEST_EPSILON, MOST_STEPS, NORMS, usualEpsilon } from "../state";
import { words } from "../text";
import { AttackChoice, BranchChoice, MethodChoice } from "./choices";
import { Button, Choice, ClassPicker, NumberField, optionsOf, Select } from "./fields";

/** How a norm's radius is shown: its unit in pixel units, and the slider's step. */
const SCALES: Record<Norm, { unit: number; step: number }> = {
  linf: { unit: 1 / 255, step: 1 },
  l2: { unit: 1, step: 0.1 },
};

export function Controls({ lab }: { lab: Lab }) {
  const { network, state } = lab;
  const { settings } = state;
  return (
    <div class="fields">
      <AttackChoice
        name="attack"
        value={settings.attack}
        onChoose={(attack) => lab.set({ attack })}
        hint={words.attackAbout[settings.attack]}
      />
      {settings.attack !== "none" && <Strength lab={lab} />}
      {usesGradient(settings) && network.branches.length > 1 && (
        <BranchChoice
          name="through"
          branches={network.branches.map(({ name }) => name)}
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
    <Select label={words.network} value={network.name} onChoose={(name) => lab.chooseNetwork(name)}>
      {optionsOf(manifest.networks.map(({ name, title }) => [name, title]))}
    </Select>
  );
}

function Strength({ lab }: { lab: Lab }) {
  const { norm, epsilon } = lab.state.settings;
  const { unit, step } = SCALES[norm];
  const most = Math.round(LARGEST_EPSILON[norm] / unit);
  const value = Number((epsilon / unit).toFixed(2));
  return (
    <NumberField
      {...{ id: "strength", value, most, step, least: 0 }}
      label={words.strength}
      unit={words.strengthUnit[norm]}
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
          {...{ id: "steps", value: settings.steps, least: 1, most: MOST_STEPS, step: 1 }}
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
      <MethodChoice
        name="method"
        value={settings.method}
        onChoose={(method) => lab.set({ method })}
      />
      <Button
        label={words.startAgain}
        onClick={() => lab.choose(firstState(lab.manifest), "reset")}
      />
    </details>
  );
}

function Target({ lab }: { lab: Lab }) {
  const { network, state } = lab;
  return (
    <ClassPicker
      classes={network.classes}
      label={words.target}
      others={{ "": words.noTarget }}
      value={String(state.settings.target ?? "")}
      onChoose={(value) => lab.set({ target: value === "" ? null : Number(value) })}
    />
  );
}
