/** A norm layer's running statistics while a network is trained: one channel over time, all now. */

import { useState } from "preact/hooks";
import type { TrainingPlan } from "../../manifest";
import { sentences, words } from "../../text";
import {
  channelCount,
  channelsOf,
  gapOf,
  KINDS,
  type Quantity,
  statisticsAt,
  widestChannel,
} from "../../training/statistics";
import type { Run } from "../../training/training";
import { Choice, optionsOf, Select } from "../fields";
import { AllChannels } from "./channels";
import { LineChart } from "./chart";

const QUANTITIES: readonly Quantity[] = ["mean", "variance"];
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
