/** Choices that several parts of the page offer. */

import type { AttackKind, MapMethod } from "../manifest";
import { ATTACKS, METHODS } from "../state";
import { words } from "../text";
import { Choice, NumberField } from "./fields";

interface Props<T> {
  /** Of the group of fields, unique in the page. */
  name: string;
  value: T;
  onChoose: (choice: T) => void;
  hint?: string;
}

export function AttackChoice(props: Props<AttackKind>) {
  const label = (attack: AttackKind) => words.attackNames[attack];
  return <Choice {...props} {...{ label, legend: words.attack, choices: ATTACKS }} />;
}

export function MethodChoice(props: Props<MapMethod>) {
  const label = (method: MapMethod) => words.methodNames[method];
  return <Choice {...props} {...{ label, legend: words.method, choices: METHODS }} />;
}

/** Whose gradient an attack follows. */
export function BranchChoice(props: Props<string> & { branches: readonly string[] }) {
  const label = (branch: string) => branch;
  return <Choice {...props} {...{ label, legend: words.through, choices: props.branches }} />;
}

interface StrengthProps {
  id: string;
  /** In 255ths. */
  levels: number;
  most: number;
  onChange: (levels: number) => void;
}

/** The strength of an attack on a picture of a lesson. */
export function Strength({ levels, ...props }: StrengthProps) {
  return (
    <NumberField
      {...{ ...props, value: levels, least: 0, step: 1 }}
      label={words.lessons.strength}
      hint={words.strengthAbout.linf(String(levels))}
    />
  );
}
