/** A norm layer's running statistics while a network is trained: one channel over time, all now. */

import { useState } from "preact/hooks";
import type { TrainingPlan } from "../../manifest";
import { sentences, words } from "../../text";
import {
  channelCount,
  channelsOf,
  gapOf,
  type Quantity,
  statisticsAt,
  widestChannel,
} from "../../training/statistics";
import type { Run } from "../../training/training";
import { Choice, optionsOf, Select } from "../fields";
import { type Key, Legend, Plot } from "../plot";
import { LineChart } from "./chart";

const QUANTITIES: readonly Quantity[] = ["mean", "variance"];
const KINDS = ["clean", "adversarial"] as const;
/** In the middle of the network: before it nothing tells the kinds apart. */
const FIRST_LAYER = 1;

interface Props {
  plan: TrainingPlan;
  run: Run;
}

export function Statistics({ plan, run }: Props) {
  const texts = words.training;
  const [layer, setLayer] = useState(FIRST_LAYER);
  const [quantity, setQuantity] = useState<Quantity>("mean");
  /** Among the channels of all layers; null for the one that is furthest apart. */
  const [chosen, setChosen] = useState<number | null>(null);
  const latest = run.progress[run.progress.length - 1];
  const { objective } = run.settings;
  const [start, end] = channelsOf(plan, layer);
  const channel = chosen ?? widestChannel(latest, plan, layer);
  const channels = Array.from({ length: end - start }, (_, index) => start + index);
  const gap = Math.abs(gapOf(latest, channel, channelCount(plan)));
  const chooseLayer = (name: string) => {
    setLayer(Number(name));
    setChosen(null);
  };
  return (
    <section class="training-statistics">
      <h3>{texts.statistics}</h3>
      <p>{texts.statisticsAbout}</p>
      <div class="training-settings">
        <Choice
          legend={texts.layer}
          name="training-layer"
          choices={plan.norm_layers.map((_, index) => String(index))}
          label={(index) => texts.layerNames[Number(index)]}
          value={String(layer)}
          onChoose={chooseLayer}
        />
        <Choice
          legend={texts.quantity}
          name="training-quantity"
          choices={QUANTITIES}
          label={(each) => texts.quantities[each]}
          value={quantity}
          onChoose={setQuantity}
        />
        <Select
          label={texts.channel}
          value={String(chosen ?? "")}
          onChoose={(value) => setChosen(value === "" ? null : Number(value))}
        >
          <option value="">{texts.widest}</option>
          {optionsOf(channels.map((each) => [String(each), texts.channelNumber(each - start + 1)]))}
        </Select>
      </div>
      <p class="says">
        {sentences(
          texts.gap[objective](gap),
          ...(layer === 0 && objective !== "vanilla" ? [texts.firstLayer] : []),
        )}
      </p>
      <div class="training-charts">
        <OverTime {...{ plan, run, channel, quantity }} number={channel - start + 1} />
        <AllChannels {...{ plan, run, channels, quantity, channel }} onChoose={setChosen} />
      </div>
      {objective === "mixed" && <p class="hint">{texts.small}</p>}
    </section>
  );
}

interface OverTimeProps extends Props {
  channel: number;
  /** Within its layer. */
  number: number;
  quantity: Quantity;
}

function OverTime({ plan, run, channel, number, quantity }: OverTimeProps) {
  const texts = words.training;
  const branches = plan.objectives[run.settings.objective].branches;
  const count = channelCount(plan);
  const found = run.progress.map((progress) => ({
    step: progress.step,
    ...statisticsAt(progress, channel, count, quantity),
  }));
  const last = found[found.length - 1];
  const running = branches.map((branch, index) => ({
    key: branch,
    branch: index,
    isDashed: false,
    points: found.map((each) => [each.step, each.running[index]] as const),
    label: texts.keeps(branch, texts.statisticValue(last.running[index])),
  }));
  // With two branches each keeps its own kind's: the lines would lie on each other.
  const isShared = last.kinds.length > branches.length;
  const alone = last.kinds.map((value, index) => ({
    key: KINDS[index],
    branch: null,
    isDashed: KINDS[index] === "adversarial",
    points: found.map((each) => [each.step, each.kinds[index]] as const),
    label: texts.passes(texts[KINDS[index]], texts.statisticValue(value)),
  }));
  const lines = isShared ? [...alone, ...running] : running;
  const values = lines.flatMap(({ points }) => points.map(([, value]) => value));
  return (
    <LineChart
      title={texts.overTime(number)}
      valueName={texts.quantities[quantity]}
      about=""
      {...{ plan, lines, range: [Math.min(...values), Math.max(...values)] }}
      format={texts.statisticValue}
    />
  );
}

const [WIDTH, HEIGHT] = [600, 160];

interface AllChannelsProps extends Props {
  channels: readonly number[];
  channel: number;
  quantity: Quantity;
  onChoose: (channel: number) => void;
}

/** For each channel a stroke from the clean pictures' value to the adversarial ones'. */
function AllChannels({ plan, run, channels, channel, quantity, onChoose }: AllChannelsProps) {
  const texts = words.training;
  const latest = run.progress[run.progress.length - 1];
  const count = channelCount(plan);
  const found = channels.map((each) => ({
    each,
    ...statisticsAt(latest, each, count, quantity),
  }));
  const values = found.flatMap(({ running, kinds }) => [...running, ...kinds]);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const y = (value: number) => HEIGHT - 8 - ((HEIGHT - 16) * (value - low)) / (high - low || 1);
  const step = WIDTH / channels.length;
  const branches = plan.objectives[run.settings.objective].branches;
  const kinds = found[0].kinds.length > branches.length ? KINDS : [];
  const keys: Key[] = [
    ...branches.map((branch, index) => ({
      ...{ key: branch, branch: index, drawn: "dot" as const },
      label: texts.kept(branch),
    })),
    ...kinds.map((kind) => ({
      ...{ key: kind, branch: null, label: texts.alone(texts[kind]) },
      drawn: kind === "adversarial" ? ("line dashed" as const) : ("line" as const),
    })),
  ];
  return (
    <figure class="training-chart">
      <figcaption>
        <strong>{texts.allChannels}</strong>
        <span class="hint">{texts.allChannelsAbout}</span>
      </figcaption>
      <Plot
        valueName={texts.quantities[quantity]}
        values={[texts.statisticValue(high), texts.statisticValue(low)]}
        name={texts.channels}
        ends={["1", String(channels.length)]}
      >
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {found.map(({ each, running, kinds }, index) => {
            const x = step * (index + 0.5);
            return (
              <g key={each} class={each === channel ? "chosen" : undefined}>
                <rect
                  {...{ x: step * index, y: 0, width: step, height: HEIGHT }}
                  onPointerDown={() => onChoose(each)}
                />
                <path d={`M${x} ${y(kinds[0])}V${y(kinds[kinds.length - 1])}`} />
                {kinds.length > running.length &&
                  kinds.map((value, kind) => (
                    <path
                      key={KINDS[kind]}
                      d={`M${x - step / 3} ${y(value)}h${(2 * step) / 3}`}
                      class={KINDS[kind]}
                    />
                  ))}
                {running.map((value, branch) => (
                  <path
                    key={branch}
                    data-branch={branch}
                    class="dot"
                    d={`M${x} ${y(value)}h0.01`}
                  />
                ))}
              </g>
            );
          })}
        </svg>
      </Plot>
      <Legend keys={keys} />
    </figure>
  );
}
