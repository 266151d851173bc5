/** What a class gained, with its interval. */

import type { Answers, Order } from "./answers";
import { type LessonPlan, type TestForm, testForm } from "./plan";
import { isAnswered } from "./progress";

export interface Interval {
  low: number;
  high: number;
}

export interface Gain {
  readers: number;
  /** Shares of right answers, in [0, 1]. */
  before: number;
  after: number;
  gain: number;
  /** 95 %; null where there are too few readers, or all gained the same. */
  interval: Interval | null;
}

/** Share of right answers of one side, in [0, 1]. */
export function scoreOf(lesson: LessonPlan, form: TestForm, choices: readonly unknown[]): number {
  const rights: readonly number[] = lesson.tests[form];
  return rights.filter((right, index) => choices[index] === right).length / rights.length;
}

/** The gain of all who answered both sides of a lesson; null where nobody did. */
export function gainOf(lesson: LessonPlan, files: readonly Answers[]): Gain | null {
  const scored = files.flatMap(({ lessons, order }) => {
    const answers = lessons[lesson.id];
    if (!answers || !isAnswered(answers.before) || !isAnswered(answers.after)) return [];
    const before = scoreOf(lesson, testForm(order, "before"), answers.before);
    const after = scoreOf(lesson, testForm(order, "after"), answers.after);
    return [{ order, before, after }];
  });
  if (!scored.length) return null;
  const groups = ([0, 1] as Order[])
    .map((order) => scored.filter((each) => each.order === order))
    .map((group) => group.map(({ before, after }) => after - before));
  return {
    readers: scored.length,
    before: mean(scored.map(({ before }) => before)),
    after: mean(scored.map(({ after }) => after)),
    ...gainOfGroups(groups),
  };
}

/**
 * The mean difference, each order of the questions counted alike, so that questions of unequal
 * difficulty cancel; Welch's t interval. With fewer than two readers of an order, all readers
 * together and Student's.
 */
function gainOfGroups(groups: number[][]): { gain: number; interval: Interval | null } {
  const used = groups.every(({ length }) => length > 1) ? groups : [groups.flat()];
  const gain = mean(used.map(mean));
  if (used[0].length < 2) return { gain, interval: null };
  const parts = used.map((group) => variance(group) / group.length / used.length ** 2);
  const squared = parts.reduce((a, b) => a + b, 0);
  if (squared === 0) return { gain, interval: null };
  const freedom =
    squared ** 2 / used.reduce((sum, { length }, i) => sum + parts[i] ** 2 / (length - 1), 0);
  const reach = studentReach(freedom) * Math.sqrt(squared);
  // Two readers know little, but no gain is beyond all of it.
  return { gain, interval: { low: Math.max(gain - reach, -1), high: Math.min(gain + reach, 1) } };
}

export function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function variance(values: readonly number[]): number {
  const middle = mean(values);
  return values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1);
}

const SLICES = 2000;

/**
 * How many standard errors a 95 % interval of Student's t reaches, for 1 degree of freedom or more.
 *
 * With t = √ν · tan θ the density becomes cos^(ν−1) θ on (0, π/2): it is summed until 95 % are in.
 */
export function studentReach(freedom: number): number {
  const width = Math.PI / 2 / SLICES;
  const weights = Array.from(
    { length: SLICES },
    (_, slice) => Math.cos((slice + 0.5) * width) ** (freedom - 1),
  );
  const wanted = 0.95 * weights.reduce((a, b) => a + b, 0);
  let [sum, slice] = [0, 0];
  while (sum + weights[slice] < wanted) sum += weights[slice++];
  return Math.sqrt(freedom) * Math.tan((slice + (wanted - sum) / weights[slice]) * width);
}
