/** Judged pairs to a strength for each candidate: Bradley and Terry's model. */

import type { Judgement } from "./answers";
import { type Interval, studentReach } from "./statistics";

export interface Strength {
  candidate: string;
  /** Chance that its map is preferred to that of a candidate of middling strength, in [0, 1]. */
  share: number;
  /** 95 %; null where fewer than two people (or judgements) speak. */
  interval: Interval | null;
  judged: number;
}

const STEPS = 100;
/** Each pair begins with one tie, so that who never won is weak, and not infinitely weak. */
const TIES = 1;

/**
 * Strengths that add up to 0, by Newton's method.
 *
 * "Neither" counts half for each. The variance is that of sums over groups (a sandwich): answers of
 * one person resemble each other, so a class is as many groups as people.
 *
 * @param groups The judgements of each person; of one person, each judgement by itself.
 */
export function strengthsOf(
  candidates: readonly string[],
  groups: readonly (readonly Judgement[])[],
): Strength[] {
  const count = candidates.length;
  const place = new Map(candidates.map((name, index) => [name, index]));
  const isAbout = ({ left, right }: Judgement) =>
    left !== right && place.has(left) && place.has(right);
  const about = groups.map((group) => group.filter(isAbout)).filter(({ length }) => length > 0);
  const all = about.flat().map((judgement) => duelOf(judgement, place));
  const prior = pairsOf(count).map(([a, b]) => ({ a, b, won: 0.5, weight: TIES }));
  const strengths = new Array<number>(count).fill(0);
  let inverse = identity(count);
  for (let step = 0; step < STEPS; step++) {
    const { slope, curve } = sums([...prior, ...all], strengths);
    // The sum is free: a constant added to all of it fixes it at 0.
    inverse = inverted(curve.map((row) => row.map((value) => value + 1 / count)));
    const move = times(inverse, slope);
    for (let index = 0; index < count; index++) strengths[index] += move[index];
    if (Math.max(...move.map(Math.abs)) < 1e-10) break;
  }
  const slopes = about.map(
    (group) =>
      sums(
        group.map((each) => duelOf(each, place)),
        strengths,
      ).slope,
  );
  const few = slopes.length < 2;
  const scale = few ? 0 : slopes.length / (slopes.length - 1);
  const reach = few ? 0 : studentReach(slopes.length - 1);
  return candidates.map((candidate, index) => {
    const moved = slopes.map((slope) =>
      inverse[index].reduce((sum, v, j) => sum + v * slope[j], 0),
    );
    const error = Math.sqrt(scale * moved.reduce((sum, value) => sum + value ** 2, 0));
    const at = (strength: number) => logistic(strength);
    return {
      candidate,
      share: at(strengths[index]),
      interval: few
        ? null
        : { low: at(strengths[index] - reach * error), high: at(strengths[index] + reach * error) },
      judged: all.filter(({ a, b }) => a === index || b === index).length,
    };
  });
}

interface Duel {
  a: number;
  b: number;
  /** 1 where a won, 0 where b did. */
  won: number;
  weight: number;
}

function duelOf({ left, right, preferred }: Judgement, place: Map<string, number>): Duel {
  const won = { left: 1, right: 0, neither: 0.5 }[preferred];
  return { a: place.get(left) ?? 0, b: place.get(right) ?? 0, won, weight: 1 };
}

function pairsOf(count: number): [number, number][] {
  const places = Array.from({ length: count }, (_, index) => index);
  return places.flatMap((a) => places.slice(a + 1).map((b): [number, number] => [a, b]));
}

const logistic = (value: number) => 1 / (1 + Math.exp(-value));

/** The log-likelihood's gradient, and its second derivatives with the sign turned. */
function sums(duels: readonly Duel[], strengths: readonly number[]) {
  const slope = strengths.map(() => 0);
  const curve = strengths.map(() => strengths.map(() => 0));
  for (const { a, b, won, weight } of duels) {
    const expected = logistic(strengths[a] - strengths[b]);
    const bend = weight * expected * (1 - expected);
    slope[a] += weight * (won - expected);
    slope[b] -= weight * (won - expected);
    curve[a][a] += bend;
    curve[b][b] += bend;
    curve[a][b] -= bend;
    curve[b][a] -= bend;
  }
  return { slope, curve };
}

function identity(size: number): number[][] {
  return Array.from({ length: size }, (_, row) =>
    Array.from({ length: size }, (_, column) => (row === column ? 1 : 0)),
  );
}

function times(matrix: readonly number[][], vector: readonly number[]): number[] {
  return matrix.map((row) => row.reduce((sum, value, index) => sum + value * vector[index], 0));
}

/** Gauss and Jordan; a symmetric positive definite matrix needs no pivots. */
function inverted(matrix: readonly number[][]): number[][] {
  const size = matrix.length;
  const work = matrix.map((row, index) => [...row, ...identity(size)[index]]);
  for (let column = 0; column < size; column++) {
    const scale = work[column][column];
    work[column] = work[column].map((value) => value / scale);
    for (let row = 0; row < size; row++) {
      if (row === column) continue;
      const factor = work[row][column];
      work[row] = work[row].map((value, index) => value - factor * work[column][index]);
    }
  }
  return work.map((row) => row.slice(size));
}
