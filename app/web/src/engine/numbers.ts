/** Softmax, order and a seeded generator of random numbers. */

export function softmax(logits: Float32Array): Float32Array {
  const largest = logits.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const powers = logits.map((logit) => Math.exp(logit - largest));
  const total = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / total);
}

/** The index of the largest value; NaN never is it. */
export function largestIndex(values: ArrayLike<number>): number {
  let best = 0;
  for (let index = 1; index < values.length; index++) {
    if (values[index] > values[best] || Number.isNaN(values[best])) best = index;
  }
  return best;
}

/** The indices of the largest values, largest first; NaN comes last. */
export function largestIndices(values: Float32Array, count: number): number[] {
  const rank = (index: number) => (Number.isNaN(values[index]) ? -1 : values[index]);
  return Array.from(values.keys())
    .sort((a, b) => rank(b) - rank(a) || a - b)
    .slice(0, count);
}

export function largestOf(values: ArrayLike<number>): number {
  let largest = 0;
  for (let index = 0; index < values.length; index++) largest = Math.max(largest, values[index]);
  return largest;
}

/** The value that a share of the values does not pass. */
export function quantile(values: Float32Array, share: number): number {
  const sorted = values.slice().sort();
  return sorted[Math.min(Math.floor(share * sorted.length), sorted.length - 1)] ?? 0;
}

/** Uniform numbers in [0, 1), the same for the same seed (mulberry32). */
export function uniformNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A standard normal number from two uniform ones (Box and Muller). */
export function normalNumber(uniform: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

/** The same entries in an order that follows from uniform numbers (Fisher and Yates). */
export function shuffled<T>(entries: readonly T[], uniform: () => number): T[] {
  const mixed = [...entries];
  for (let last = mixed.length - 1; last > 0; last--) {
    const chosen = Math.floor(uniform() * (last + 1));
    [mixed[last], mixed[chosen]] = [mixed[chosen], mixed[last]];
  }
  return mixed;
}
