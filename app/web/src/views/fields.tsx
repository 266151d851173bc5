/** The page's own fields: a choice among few, a number with a slider. */

import { useMemo, useState } from "preact/hooks";
import { words } from "../text";

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
      classes
        .map((name, index) => ({ name, index }))
        .sort((a, b) => a.name.localeCompare(b.name))
        .map(({ name, index }) => (
          <option key={index} value={index}>
            {name}
          </option>
        )),
    [classes],
  );
  return (
    <label class="field">
      {label}
      <select value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        {Object.entries(others).map(([choice, text]) => (
          <option key={choice} value={choice}>
            {text}
          </option>
        ))}
        {options}
      </select>
    </label>
  );
}
