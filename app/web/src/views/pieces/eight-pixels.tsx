/** FGSM by hand, on a network that is one sum of eight pixels. */

import { useState } from "preact/hooks";
import { number, percent, sentences, words } from "../../text";
import { Button } from "../fields";

const PIXELS = [0.8, 0.2, 0.6, 0.2, 0.8, 0.3, 0.6, 0.3];
const WEIGHTS = [1, -2, 0.5, -3, 2, -0.5, 1.5, -1.5];
/** Of each pixel's move. */
const STEP = 0.2;
/** Brighter is above. */
const MOVES = [1, 0, -1];
const FGSM = WEIGHTS.map((weight) => -Math.sign(weight));

function scoreOf(moves: readonly number[]): number {
  return WEIGHTS.reduce(
    (sum, weight, index) => sum + weight * (PIXELS[index] + STEP * moves[index]),
    0,
  );
}
const sure = (score: number) => 1 / (1 + Math.exp(-score));

export function EightPixels() {
  const texts = words.lessons.eightPixels;
  const [moves, setMoves] = useState<number[]>(PIXELS.map(() => 0));
  const score = scoreOf(moves);
  const move = (index: number, by: number) =>
    setMoves(moves.map((old, place) => (place === index ? by : old)));
  return (
    <div class="piece">
      <div class="eight">
        {PIXELS.map((pixel, index) => (
          <fieldset key={WEIGHTS[index]}>
            <legend class="spoken">{texts.pixel(index + 1)}</legend>
            <Pixel value={pixel + STEP * moves[index]} />
            <span aria-hidden="true">{number(pixel + STEP * moves[index], 1)}</span>
            <span>
              {texts.weight}
              <b>{number(WEIGHTS[index])}</b>
            </span>
            <div class="moves">
              {MOVES.map((by) => (
                <Button
                  label={["−", "0", "+"][by + 1]}
                  key={by}
                  aria-pressed={moves[index] === by}
                  aria-label={texts.move[by + 1]}
                  onClick={() => move(index, by)}
                />
              ))}
            </div>
          </fieldset>
        ))}
      </div>
      <p class="says" role="status">
        {sentences(
          texts.says(
            number(score),
            percent(sure(score)),
            percent(sure(scoreOf(PIXELS.map(() => 0)))),
          ),
          ...(score < 0 ? [texts.fooled] : []),
        )}
      </p>
      <div class="buttons">
        <Button label={texts.fgsm} onClick={() => setMoves(FGSM)} />
        <Button label={texts.back} onClick={() => setMoves(PIXELS.map(() => 0))} />
      </div>
    </div>
  );
}

function Pixel({ value }: { value: number }) {
  const level = Math.round(255 * Math.min(Math.max(value, 0), 1));
  return (
    <svg class="pixel" viewBox="0 0 1 1" role="img" aria-label={number(value)}>
      <rect width="1" height="1" fill={`rgb(${level} ${level} ${level})`} />
    </svg>
  );
}
