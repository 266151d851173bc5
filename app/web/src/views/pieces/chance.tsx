/** Maps of models that learned from labels by chance, and from other halves of the digits. */

import { useMemo, useState } from "preact/hooks";
import { shuffled, uniformNumbers } from "../../engine/numbers";
import {
  accuracyOf,
  type Digit,
  fit,
  inkLevels,
  rankCorrelation,
  signedLevels,
} from "../../lessons/digits";
import type { LinearModel } from "../../manifest";
import { number, percent, sentences, words } from "../../text";
import { Drawing } from "../drawing";
import { Button } from "../fields";
import { useDigits, WeightScale } from "./digit";

const inputTimesWeight = ({ weight }: LinearModel, { pixels }: Digit) =>
  weight.map((value, index) => value * pixels[index]);
const sizes = (values: readonly number[], cells: readonly number[]) =>
  cells.map((cell) => Math.abs(values[cell]));

/** Cells that hold ink in a tenth of the digits: beyond them no model has anything to say. */
function usedCells(digits: readonly Digit[]): number[] {
  return Array.from(digits[0].pixels.keys()).filter(
    (cell) => digits.filter(({ pixels }) => pixels[cell] > 0).length > digits.length / 10,
  );
}

/** The same photo of two models, as weights and as input × weight. */
export function RandomLabels() {
  const texts = words.lessons.chance;
  const { train, test, side } = useDigits();
  const [seed, setSeed] = useState(1);
  const [index, setIndex] = useState(0);
  const learned = useMemo(() => fit(train, signsOf(train)), [train]);
  const byChance = useMemo(
    () => fit(train, shuffled(signsOf(train), uniformNumbers(seed))),
    [train, seed],
  );
  const used = useMemo(() => usedCells(train), [train]);
  const digit = test[index];
  const models = [
    { title: texts.trueLabels, model: learned },
    { title: texts.randomLabels, model: byChance },
  ];
  const [first, second] = models.map(({ model }) => ({
    weights: sizes(model.weight, used),
    products: sizes(inputTimesWeight(model, digit), used),
  }));
  return (
    <div class="piece">
      {models.map(({ title, model }) => (
        <section key={title}>
          <h3>{title}</h3>
          <p class="hint">{texts.right(percent(accuracyOf(model, test, 0)), test.length)}</p>
          <div class="piece-pictures pixelated">
            <Drawing
              {...{ size: side, drawn: inkLevels(digit.pixels), caption: texts.input }}
              alt={words.lessons.digit.alt(digit.sign > 0 ? 7 : 3)}
            />
            <Drawing size={side} drawn={signedLevels(model.weight)} alt={texts.weights} />
            <Drawing
              {...{ size: side, alt: texts.product }}
              drawn={signedLevels(inputTimesWeight(model, digit))}
            />
          </div>
        </section>
      ))}
      <WeightScale />
      <p class="says" role="status">
        {texts.agreement(
          number(rankCorrelation(first.weights, second.weights)),
          number(rankCorrelation(first.products, second.products)),
        )}
      </p>
      <div class="buttons">
        <Button label={texts.otherLabels} onClick={() => setSeed(seed + 1)} />
        <Button label={texts.otherDigit} onClick={() => setIndex((index + 1) % test.length)} />
      </div>
    </div>
  );
}

/** Two models of the same kind, each from a half of the digits that chance drew. */
export function OtherSeeds() {
  const texts = words.lessons.chance;
  const { train, test, side } = useDigits();
  const [seed, setSeed] = useState(1);
  const models = useMemo(() => {
    const mixed = shuffled(train, uniformNumbers(seed));
    const half = Math.floor(mixed.length / 2);
    return [mixed.slice(0, half), mixed.slice(half)].map((part) => fit(part, signsOf(part)));
  }, [train, seed]);
  const used = useMemo(() => usedCells(train), [train]);
  const [first, second] = models;
  return (
    <div class="piece">
      <div class="piece-pictures pixelated pair">
        {models.map((model, index) => (
          <Drawing
            key={texts.half[index]}
            {...{ size: side, drawn: signedLevels(model.weight) }}
            alt={texts.half[index]}
            caption={sentences(
              texts.half[index],
              texts.right(percent(accuracyOf(model, test, 0)), test.length),
            )}
          />
        ))}
      </div>
      <WeightScale />
      <p class="says" role="status">
        {texts.halves(
          number(rankCorrelation(sizes(first.weight, used), sizes(second.weight, used))),
        )}
      </p>
      <div class="buttons">
        <Button label={texts.otherHalves} onClick={() => setSeed(seed + 1)} />
      </div>
    </div>
  );
}

const signsOf = (digits: readonly Digit[]) => digits.map(({ sign }) => sign);
