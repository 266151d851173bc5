/** All channels of a norm layer in one chart, which also chooses one of them. */

import type { ComponentChildren } from "preact";
import { useRef } from "preact/hooks";
import type { TrainingPlan } from "../../manifest";
import { words } from "../../text";
import { channelCount, KINDS, type Quantity, statisticsAt } from "../../training/statistics";
import type { Run } from "../../training/training";
import { type Key, Legend, Plot } from "../plot";

const [WIDTH, HEIGHT] = [600, 160];

interface AllChannelsProps {
  plan: TrainingPlan;
  run: Run;
  channels: readonly number[];
  channel: number;
  quantity: Quantity;
  onChoose: (channel: number) => void;
}

/** For each channel a stroke from the clean pictures' value to the adversarial ones'. */
export function AllChannels({
  plan,
  run,
  channels,
  channel,
  quantity,
  onChoose,
}: AllChannelsProps) {
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
      <ChannelSlider {...{ channels, channel, onChoose }}>
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
                <g key={each}>
                  {each === channel && (
                    <rect {...{ x: step * index, y: 0, width: step, height: HEIGHT }} />
                  )}
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
      </ChannelSlider>
      <Legend keys={keys} />
    </figure>
  );
}

/** How far each key moves along the channels. */
const KEY_MOVES: Record<string, number> = {
  ArrowLeft: -1,
  ArrowDown: -1,
  ArrowRight: 1,
  ArrowUp: 1,
  Home: -Infinity,
  End: Infinity,
};

interface ChannelSliderProps extends Pick<AllChannelsProps, "channels" | "channel" | "onChoose"> {
  /** The chart, whose drawing is as wide as all channels. */
  children: ComponentChildren;
}

/** Chooses the channel at the finger or the mouse, wherever it is above or below: strokes are thin. */
function ChannelSlider({ channels, channel, onChoose, children }: ChannelSliderProps) {
  const texts = words.training;
  const slider = useRef<HTMLDivElement>(null);
  const pressed = useRef({ x: 0, y: 0 });
  const place = channels.indexOf(channel);
  const choosePlace = (next: number) =>
    onChoose(channels[Math.min(Math.max(next, 0), channels.length - 1)]);
  const chooseAt = ({ clientX }: MouseEvent) => {
    const drawing = slider.current?.querySelector("svg")?.getBoundingClientRect();
    if (!drawing) return;
    choosePlace(Math.floor((channels.length * (clientX - drawing.left)) / drawing.width));
  };
  return (
    <div
      ref={slider}
      class="channel-slider"
      role="slider"
      tabIndex={0}
      aria-label={texts.channel}
      aria-valuemin={1}
      aria-valuemax={channels.length}
      aria-valuenow={place + 1}
      aria-valuetext={texts.channelNumber(place + 1)}
      // Not at once when a finger comes down: it may be about to scroll the page.
      onClick={chooseAt}
      onPointerDown={({ clientX, clientY }) => {
        pressed.current = { x: clientX, y: clientY };
      }}
      onPointerMove={(event) => {
        const { x, y } = pressed.current;
        const isSideways = Math.abs(event.clientX - x) > Math.abs(event.clientY - y);
        if (event.buttons > 0 && isSideways) chooseAt(event);
      }}
      onKeyDown={(event) => {
        const move = KEY_MOVES[event.key];
        if (move === undefined) return;
        event.preventDefault();
        choosePlace(place + move);
      }}
    >
      {children}
    </div>
  );
}
