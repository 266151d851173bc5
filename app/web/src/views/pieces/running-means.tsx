/** A norm layer's running mean between clean and attacked digits, alone and with a twin. */

import { useEffect, useMemo, useState } from "preact/hooks";
import { fooled, marginOf } from "../../lessons/digits";
import { mean } from "../../lessons/statistics";
import { number, words } from "../../text";
import { Button, CheckBox } from "../fields";
import { type Key, Legend, Plot } from "../plot";
import { useDigits } from "./digit";

const BATCH = 8;
const BATCHES = 60;
/** Of the new batch in the running mean. */
const MOMENTUM = 0.1;
const FRAME_MS = 120;
/** Batches at the beginning: enough to see the two kinds and the line between them. */
const FIRST = 8;
const [WIDTH, HEIGHT] = [600, 300];

/** The means of clean and attacked batches in turn, and what layers make of them. */
function useMeans() {
  const { train, natural, epsilon } = useDigits();
  return useMemo(() => {
    const sevens = train.filter(({ sign }) => sign > 0);
    const batches = Array.from({ length: BATCHES }, (_, batch) => {
      const isClean = batch % 2 === 0;
      const margins = Array.from({ length: BATCH }, (_, place) => {
        const digit = sevens[(batch * BATCH + place) % sevens.length];
        return marginOf(natural, isClean ? digit.pixels : fooled(natural, digit, epsilon));
      });
      return { isClean, mean: mean(margins) };
    });
    const run = (isFor: (isClean: boolean) => boolean) => {
      let running: number | null = null;
      return batches.map((batch) => {
        if (isFor(batch.isClean)) {
          running = running === null ? batch.mean : running + MOMENTUM * (batch.mean - running);
        }
        return running;
      });
    };
    return {
      batches,
      single: run(() => true),
      main: run((isClean) => isClean),
      aux: run((isClean) => !isClean),
    };
  }, [train, natural, epsilon]);
}

export function RunningMeans() {
  const texts = words.lessons.runningMeans;
  const { batches, single, main, aux } = useMeans();
  const [shown, setShown] = useState(FIRST);
  const [isPlaying, setPlaying] = useState(false);
  const [hasTwo, setTwo] = useState(false);
  useEffect(() => {
    if (!isPlaying) return;
    if (shown >= BATCHES) return setPlaying(false);
    const timer = setTimeout(() => setShown(shown + 1), FRAME_MS);
    return () => clearTimeout(timer);
  }, [isPlaying, shown]);
  const values = batches.map((batch) => batch.mean);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (batch: number) => (WIDTH * (batch + 0.5)) / BATCHES;
  const y = (value: number) => HEIGHT - 8 - ((HEIGHT - 16) * (value - low)) / (high - low);
  const points = (line: readonly (number | null)[]) =>
    line
      .slice(0, shown)
      .map((value, batch) => (value === null ? "" : `${x(batch)},${y(value)}`))
      .join(" ");
  const last = (line: readonly (number | null)[]) => number(line[shown - 1] ?? 0, 1);
  const dots: Key[] = texts.dots.map((label, branch) => ({
    ...{ key: label, label, branch },
    drawn: branch === 0 ? "dot" : "ring",
  }));
  const lines: Key[] = texts.lines.map((label, branch) => ({
    ...{ key: label, label, branch, drawn: "line" },
  }));
  const line: Key = { key: texts.line, label: texts.line, branch: null, drawn: "line" };
  const play = () => {
    if (shown >= BATCHES) setShown(1);
    setPlaying(!isPlaying);
  };
  return (
    <figure class="piece chart">
      <figcaption>{texts.about}</figcaption>
      <p class="spoken">{texts.alt}</p>
      <Plot
        valueName={texts.valueAxis}
        values={[number(high, 1), number(low, 1)]}
        name={texts.batchAxis}
        ends={["1", String(BATCHES)]}
      >
        <svg
          class="dots"
          viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
          preserveAspectRatio="none"
          aria-hidden="true"
        >
          {batches.slice(0, shown).map((batch, index) => {
            // A stroke of no length: a circle would be stretched with the chart.
            const d = `M${x(index)} ${y(batch.mean)}h0.01`;
            return (
              <g key={index} data-branch={batch.isClean ? 0 : 1}>
                <path d={d} />
                {!batch.isClean && <path class="hole" d={d} />}
              </g>
            );
          })}
          {hasTwo ? (
            <>
              <polyline data-branch={0} points={points(main)} />
              <polyline data-branch={1} points={points(aux)} />
            </>
          ) : (
            <polyline class="single" points={points(single)} />
          )}
        </svg>
      </Plot>
      <Legend keys={hasTwo ? [...dots, ...lines] : [...dots, line]} />
      <p class="says" role="status">
        {hasTwo ? texts.two(last(main), last(aux)) : texts.one(last(single))}
      </p>
      <div class="buttons">
        <Button
          label={isPlaying ? words.pause : shown < BATCHES ? words.play : texts.again}
          onClick={play}
        />
        <Button
          label={texts.step}
          disabled={shown >= BATCHES}
          onClick={() => setShown(Math.min(shown + 1, BATCHES))}
        />
        <CheckBox label={texts.twin} isChecked={hasTwo} onChange={setTwo} />
      </div>
    </figure>
  );
}
