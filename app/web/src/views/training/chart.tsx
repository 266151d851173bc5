/** Lines over the steps of a run. */

import type { TrainingPlan } from "../../manifest";
import { words } from "../../text";
import { Legend, Plot } from "../plot";

const [WIDTH, HEIGHT] = [600, 160];
const MARGIN = 4;

export interface Line {
  key: string;
  /** Of its colour; null for what belongs to no branch. */
  branch: number | null;
  isDashed: boolean;
  points: readonly (readonly [step: number, value: number])[];
  /** What it is, and its last value. */
  label: string;
}

interface Props {
  title: string;
  about: string;
  lines: readonly Line[];
  valueName: string;
  /** Of the value axis. */
  range: readonly [number, number];
  /** Of an end of the value axis. */
  format: (value: number) => string;
  plan: TrainingPlan;
}

export function LineChart(props: Props) {
  const { title, about, lines, valueName, range, format } = props;
  const { steps } = props.plan;
  const [low, high] = range;
  const x = (step: number) => (WIDTH * step) / steps;
  const share = (value: number) => (value - low) / (high - low || 1);
  const y = (value: number) => HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * share(value);
  return (
    <figure class="training-chart">
      <figcaption>
        <strong>{title}</strong>
        {about && <span class="hint">{about}</span>}
      </figcaption>
      <Plot
        valueName={valueName}
        values={[format(high), format(low)]}
        name={words.training.stepAxis}
        ends={["0", String(steps)]}
      >
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          <path
            class="grid"
            d={[0, 0.5, 1]
              .map((part) => `M0 ${MARGIN + (HEIGHT - 2 * MARGIN) * part}H${WIDTH}`)
              .join("")}
          />
          {lines.map(({ key, branch, isDashed, points }) => (
            <polyline
              key={key}
              data-branch={branch ?? undefined}
              class={isDashed ? "dashed" : undefined}
              points={points.map(([step, value]) => `${x(step)},${y(value)}`).join(" ")}
            />
          ))}
        </svg>
      </Plot>
      <Legend
        keys={lines.map(({ key, branch, isDashed, label }) => ({
          ...{ key, branch, label },
          drawn: isDashed ? "line dashed" : "line",
        }))}
      />
    </figure>
  );
}
