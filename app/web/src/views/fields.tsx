/** The page's own fields: a choice among few, a number with a slider. */

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
  /** Of the slider; a number may go on to `limit`. */
  most: number;
  limit: number;
  least: number;
  step: number;
  onChange: (value: number) => void;
  hint?: string;
}

export function NumberField(props: NumberProps) {
  const { id, label, unit, value, most, limit, least, step, onChange, hint } = props;
  const take = (text: string) => {
    const number = Number(text);
    if (text.trim() && number >= least && number <= limit) onChange(number);
  };
  return (
    <div class="number">
      <label for={id}>
        {label} {unit && <small>{unit}</small>}
      </label>
      <div>
        <input
          {...{ id, step, type: "range", min: least, max: most, value: Math.min(value, most) }}
          onInput={(event) => take(event.currentTarget.value)}
        />
        <input
          {...{ step, type: "number", min: least, max: limit, value, "aria-label": label }}
          inputMode="decimal"
          onChange={(event) => {
            take(event.currentTarget.value);
            event.currentTarget.value = String(value);
          }}
        />
      </div>
      {hint && <p class="hint">{hint}</p>}
    </div>
  );
}
