/** A norm layer's numbers: which are whose, and how far two kinds of input are apart. */

import type { TrainingPlan } from "../manifest";
import type { Progress } from "./messages";

/** Of the pictures that a step learns from. */
export const KINDS = ["clean", "adversarial"] as const;

export type Quantity = "mean" | "variance";
const ROWS = { norms: { mean: 2, variance: 3 }, kinds: { mean: 0, variance: 1 } } as const;
const ROW_COUNT = { norms: 4, kinds: 2 } as const;

/** One channel at one moment. */
export interface ChannelStatistics {
  /** What each branch's norm layer keeps. */
  running: number[];
  /** What passes through it: of clean pictures, then of adversarial ones. */
  kinds: number[];
}

export function channelCount({ norm_layers }: TrainingPlan): number {
  return norm_layers.reduce((sum, { channels }) => sum + channels, 0);
}

/** The first channel of a layer and the one after its last, among all channels. */
export function channelsOf({ norm_layers }: TrainingPlan, layer: number): [number, number] {
  const start = norm_layers.slice(0, layer).reduce((sum, { channels }) => sum + channels, 0);
  return [start, start + norm_layers[layer].channels];
}

export function statisticsAt(
  { norms, kinds }: Progress,
  channel: number,
  channels: number,
  quantity: Quantity,
): ChannelStatistics {
  const read = (values: Float32Array, part: "norms" | "kinds") => {
    const rows = ROW_COUNT[part];
    const count = values.length / (rows * channels);
    return Array.from(
      { length: count },
      (_, index) => values[(index * rows + ROWS[part][quantity]) * channels + channel],
    );
  };
  return { running: read(norms, "norms"), kinds: read(kinds, "kinds") };
}

/** How far the means of the two kinds are apart, in pooled deviations; 0 where there is one kind. */
export function gapOf(progress: Progress, channel: number, channels: number): number {
  const { kinds: means } = statisticsAt(progress, channel, channels, "mean");
  const { kinds: variances } = statisticsAt(progress, channel, channels, "variance");
  if (means.length < 2) return 0;
  return (means[1] - means[0]) / Math.sqrt((variances[0] + variances[1]) / 2 + 1e-12);
}

/** The channel of a layer whose two kinds are furthest apart. */
export function widestChannel(progress: Progress, plan: TrainingPlan, layer: number): number {
  const [start, end] = channelsOf(plan, layer);
  const channels = channelCount(plan);
  let widest = start;
  for (let channel = start; channel < end; channel++) {
    const gap = Math.abs(gapOf(progress, channel, channels));
    if (gap > Math.abs(gapOf(progress, widest, channels))) widest = channel;
  }
  return widest;
}

/**
 * The scale and shift that norm layers come to once training is over.
 *
 * @param norms (branches, 4, channels): γ, β, running mean and running variance.
 * @returns (branches, 2, channels).
 */
export function affineOf(norms: Float32Array, branches: number, epsilon: number): Float32Array {
  const channels = norms.length / (4 * branches);
  const affine = new Float32Array(2 * branches * channels);
  for (let branch = 0; branch < branches; branch++) {
    const row = (index: number, channel: number) =>
      norms[(4 * branch + index) * channels + channel];
    for (let channel = 0; channel < channels; channel++) {
      const scale = row(0, channel) / Math.sqrt(row(3, channel) + epsilon);
      const place = 2 * branch * channels + channel;
      affine[place] = scale;
      affine[place + channels] = row(1, channel) - row(2, channel) * scale;
    }
  }
  return affine;
}
