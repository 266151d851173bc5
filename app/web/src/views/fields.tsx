/** The page's own fields: a choice among few or many, a number with a slider, a file. */

import type { ButtonHTMLAttributes, ComponentChildren } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { LANGUAGES, words } from "../text";

interface ChoiceProps<T extends string> {
  legend: string;
  name: string;
  choices: readonly T[];
  label: (choice: T) => string;
  value: T;
  onChoose: (choice: T) => void;
  hint?: string;
}

export function Choice<T extends string>(props: ChoiceProps<T>) {
  const { legend, name, choices, label, value, onChoose, hint } = props;
  return (
    <fieldset class="choice">
      <legend>{legend}</legend>
      <div class="segments">
        {choices.map((choice) => (
          <label key={choice}>
            <input
              type="radio"
              name={name}
              checked={choice === value}
              onChange={() => onChoose(choice)}
            />
            <span>{label(choice)}</span>
          </label>
        ))}
      </div>
      {hint && <p class="hint">{hint}</p>}
    </fieldset>
  );
}

interface NumberProps {
  id: string;
  label: string;
  unit?: string;
  value: number;
  least: number;
  most: number;
  step: number;
  onChange: (value: number) => void;
  hint?: string;
}

export function NumberField(props: NumberProps) {
  const { id, label, unit, value, most, least, step, onChange, hint } = props;
  const [refused, setRefused] = useState<string | null>(null);
  // What is being typed: an answer that arrives meanwhile draws the field again and would undo it.
  const [typed, setTyped] = useState<string | null>(null);
  const take = (text: string) => {
    const number = Number(text);
    const isFit = text.trim() !== "" && number >= least && number <= most;
    setRefused(isFit ? null : text);
    if (isFit) onChange(number);
  };
  return (
    <div class="number">
      <label for={id}>
        {label} {unit && <small>{unit}</small>}
      </label>
      <div>
        <input
          {...{ id, step, type: "range", min: least, max: most, value }}
          onInput={(event) => take(event.currentTarget.value)}
        />
        <input
          {...{ step, type: "number", min: least, max: most, "aria-label": label }}
          inputMode="decimal"
          value={typed ?? value}
          onInput={(event) => setTyped(event.currentTarget.value)}
          onBlur={() => setTyped(null)}
          onChange={(event) => {
            take(event.currentTarget.value);
            setTyped(null);
          }}
        />
      </div>
      {refused !== null && (
        <p class="refused" role="alert">
          {words.outOfRange(refused, least, most, value)}
        </p>
      )}
      {hint && <p class="hint">{hint}</p>}
    </div>
  );
}

type Option = readonly [value: string, text: string];

export const optionsOf = (options: readonly Option[]) =>
  options.map(([value, text]) => (
    <option key={value} value={value}>
      {text}
    </option>
  ));

/** The languages of the page, each in its own name. */
export const languageOptions = () =>
  Object.entries(LANGUAGES).map(([code, { name }]) => (
    <option key={code} value={code} lang={code}>
      {name}
    </option>
  ));

interface SelectProps {
  label: string;
  value: string;
  onChoose: (value: string) => void;
  /** Options, as {@link optionsOf} makes them. */
  children: ComponentChildren;
}

export function Select({ label, value, onChoose, children }: SelectProps) {
  return (
    <label class="field">
      {label}
      <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        {children}
      </select>
    </label>
  );
}

interface CheckBoxProps {
  label: string;
  isChecked: boolean;
  onChange: (isChecked: boolean) => void;
}

export function CheckBox({ label, isChecked, onChange }: CheckBoxProps) {
  return (
    <label>
      <input
        type="checkbox"
        checked={isChecked}
        onChange={(event) => onChange(event.currentTarget.checked)}
      />{" "}
      {label}
    </label>
  );
}

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, "type"> & { label: string };

/** Sends no form. */
export function Button({ label, ...others }: ButtonProps) {
  return (
    <button type="button" {...others}>
      {label}
    </button>
  );
}

interface FileButtonProps {
  label: string;
  /** What the browser offers, as an input takes it. */
  accept: string;
  multiple?: boolean;
  onChoose: (files: File[]) => void;
}

export function FileButton({ label, accept, multiple = false, onChoose }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <Button label={label} onClick={() => input.current?.click()} />
      <input
        {...{ ref: input, type: "file", hidden: true, accept, multiple, "aria-label": label }}
        onChange={({ currentTarget }) => {
          onChoose([...(currentTarget.files ?? [])]);
          currentTarget.value = ""; // or the same file could not be chosen again
        }}
      />
    </>
  );
}

interface ClassPickerProps {
  classes: string[];
  label: string;
  /** What may be chosen beside a class: value to text. */
  others: Record<string, string>;
  /** A class index as text, or one of the others. */
  value: string;
  onChoose: (value: string) => void;
}

export function ClassPicker({ classes, label, others, value, onChoose }: ClassPickerProps) {
  // Made once: a thousand classes need not be compared at each change.
  const options = useMemo(
    () =>
      optionsOf(
        classes
          .map((name, index) => [String(index), name] as const)
          .sort(([, a], [, b]) => a.localeCompare(b)),
      ),
    [classes],
  );
  return (
    <Select {...{ label, value, onChoose }}>
      {optionsOf(Object.entries(others))}
      {options}
    </Select>
  );
}
