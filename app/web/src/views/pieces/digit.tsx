/** A written digit under attack, and a logistic regression that tells threes from sevens. */

import { useMemo, useState } from "preact/hooks";
import {
  accuracyOf,
  fooled,
  inkLevels,
  isRight,
  marginOf,
  readDigits,
  SIGNED_COLOURS,
  signedLevels,
} from "../../lessons/digits";
import { mark, number, percent, sentences, words } from "../../text";
import { Drawing, Surface } from "../drawing";
import { Choice, NumberField } from "../fields";
import { useLessonContext } from "../lessons/context";
import { Rich } from "../lessons/rich";
import { ScaleBar } from "../scale";

export const MODELS = ["natural", "robust"] as const;
export type ModelName = (typeof MODELS)[number];
const MOST = 0.4;
const SHOWN = 8;

/** Both sets of digits, read once. */
export function useDigits() {
  const { digits } = useLessonContext().material;
  return useMemo(
    () => ({
      ...digits,
      train: readDigits(digits.train, digits),
      test: readDigits(digits.test, digits),
    }),
    [digits],
  );
}

/** @param models Those that the reader may choose among. */
export function DigitPiece({ models }: { models: readonly ModelName[] }) {
  const texts = words.lessons.digit;
  const digits = useDigits();
  const { side, test } = digits;
  const [name, setName] = useState<ModelName>(models[models.length - 1]);
  const [index, setIndex] = useState(0);
  const [epsilon, setEpsilon] = useState(digits.epsilon);
  const model = digits[name];
  const digit = test[index];
  const moved = fooled(model, digit, epsilon);
  const share = useMemo(() => accuracyOf(model, test, epsilon), [model, test, epsilon]);
  const says = (pixels: Float32Array) =>
    texts.says(marginOf(model, pixels) > 0 ? 7 : 3, isRight(model, pixels, digit.sign));
  const written = digit.sign > 0 ? 7 : 3;
  return (
    <div class="piece">
      {models.length > 1 && (
        <Choice
          legend={texts.model}
          name={`digit-model-${models.length}`}
          choices={models}
          label={(each) => texts.models[each]}
          value={name}
          onChoose={setName}
          hint={texts.modelAbout}
        />
      )}
      <div class="piece-pictures pixelated">
        <Drawing
          {...{ size: side, drawn: inkLevels(digit.pixels) }}
          alt={texts.alt(written)}
          caption={sentences(words.clean + mark("stop"), says(digit.pixels))}
        />
        <Drawing
          {...{ size: side, drawn: inkLevels(moved) }}
          alt={texts.attackedAlt(written, number(epsilon))}
          caption={sentences(words.perturbed + mark("stop"), says(moved))}
        />
        <Drawing
          {...{ size: side, drawn: signedLevels(model.weight) }}
          {...{ alt: texts.weightsAlt, caption: texts.weights }}
        />
      </div>
      <WeightScale />
      <div class="piece-controls">
        <NumberField
          id={`epsilon-${models.length}`}
          label={texts.strength}
          value={epsilon}
          least={0}
          most={MOST}
          step={0.05}
          onChange={setEpsilon}
          hint={texts.strengthAbout(number(epsilon))}
        />
        <fieldset class="thumbnails" aria-label={texts.choose}>
          {test.slice(0, SHOWN).map((each, place) => (
            <button
              key={`${each.sign} ${each.pixels.join()}`}
              type="button"
              class="thumbnail pixelated"
              aria-pressed={place === index}
              aria-label={texts.numbered(place + 1, each.sign > 0 ? 7 : 3)}
              onClick={() => setIndex(place)}
            >
              <Surface drawn={inkLevels(each.pixels)} size={side} alt="" />
            </button>
          ))}
        </fieldset>
      </div>
      <p class="says" role="status">
        {texts.share(texts.models[name], percent(share), test.length, number(epsilon))}
      </p>
    </div>
  );
}

/** What the colours of weights stand for. */
export function WeightScale() {
  const { least, most, about } = words.lessons.digit.scale;
  return (
    <p class="scale hint">
      <ScaleBar {...{ least, most, colours: SIGNED_COLOURS }} />
      <span>{about}</span>
    </p>
  );
}

const STEPS = 16;
const [WIDTH, HEIGHT] = [600, 220];
/** Values that the axes of {@link DigitErrors} name. */
const SHARES = [1, 0.5, 0];
const STRENGTHS = [0, 0.1, 0.2, 0.3, 0.4];

/** How often each model is right, by the strength of the attack. */
export function DigitErrors() {
  const texts = words.lessons.digit;
  const digits = useDigits();
  const strengths = Array.from({ length: STEPS + 1 }, (_, step) => (MOST * step) / STEPS);
  const lines = MODELS.map((name) =>
    strengths.map((epsilon) => accuracyOf(digits[name], digits.test, epsilon)),
  );
  const x = (epsilon: number) => (WIDTH * epsilon) / MOST;
  const y = (share: number) => 4 + (HEIGHT - 8) * (1 - share);
  const at = (epsilon: number) => Math.round((epsilon / MOST) * STEPS);
  return (
    <figure class="piece chart">
      <figcaption>
        <Rich text={texts.errors(number(digits.epsilon))} />
      </figcaption>
      <div class="lines">
        <span class="axis" aria-hidden="true">
          {SHARES.map((share) => (
            <span key={share}>{percent(share)}</span>
          ))}
        </span>
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          <path class="grid" d={SHARES.map((share) => `M0 ${y(share)}H${WIDTH}`).join("")} />
          <path class="mark" d={`M${x(digits.epsilon)} 0V${HEIGHT}`} />
          {lines.map((shares, model) => (
            <polyline
              key={MODELS[model]}
              class={MODELS[model]}
              points={shares.map((share, step) => `${x(strengths[step])},${y(share)}`).join(" ")}
            />
          ))}
        </svg>
        <div class="ticks" aria-hidden="true">
          {STRENGTHS.map((epsilon) => (
            <span key={epsilon} style={{ left: `${(100 * epsilon) / MOST}%` }}>
              {number(epsilon)}
            </span>
          ))}
          <p>{texts.strength}</p>
        </div>
        <ul class="legend">
          {MODELS.map((name, model) => (
            <li key={name}>
              <i class={`line ${name}`} />{" "}
              <span>
                <Rich
                  text={texts.point(
                    texts.models[name],
                    percent(lines[model][0]),
                    percent(lines[model][at(digits.epsilon)]),
                    number(digits.epsilon),
                  )}
                />
              </span>
            </li>
          ))}
        </ul>
      </div>
    </figure>
  );
}
