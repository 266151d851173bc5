import assert from "node:assert/strict";
import { test } from "node:test";
import {
  amplification,
  mainPlace,
  paintChange,
  scaleOf,
  spread,
  viridis,
} from "../src/engine/drawing";
import type { MapOfBranch } from "../src/engine/findings";

const map = (rows: number, columns: number, values: number[]): MapOfBranch => ({
  classIndex: 0,
  rows,
  columns,
  values: Float32Array.from(values),
});

test("a map is spread between the centres of its cells", () => {
  const row = Array.from(spread(map(1, 2, [0, 1]), 4).slice(0, 4));
  assert.deepEqual(row, [0, 0.25, 0.75, 1]);
});

test("a map is said to lie where most of it is", () => {
  const values = [0, 0, 3, 0, 0, 0, 0, 0, 1];
  assert.deepEqual(mainPlace(map(3, 3, values)), { row: 0, column: 2, share: 0.75 });
  assert.equal(mainPlace(map(3, 3, new Array(9).fill(0))), null);
});

test("a change is amplified around grey, and no change is grey", () => {
  const clean = Uint8Array.from([10, 20, 30]);
  const perturbed = Uint8Array.from([14, 20, 26]);
  const times = amplification(perturbed, clean);
  assert.equal(times, 31);
  const painted = paintChange(perturbed, clean, times);
  assert.deepEqual(Array.from(painted), [252, 128, 4]);
  assert.equal(amplification(clean, clean), 1);
});

test("a few outliers do not set the scale of fine maps, and are named", () => {
  const values = new Array(10_000).fill(1);
  values[0] = 50;
  assert.deepEqual(scaleOf([map(100, 100, values)]), { end: 1, largest: 50 });
  assert.deepEqual(scaleOf([map(1, 2, [1, 50])]), { end: 50, largest: 50 });
  assert.deepEqual(scaleOf([]), { end: 0, largest: 0 });
});

test("viridis runs from dark violet to yellow", () => {
  assert.deepEqual([0, 1, 2].map(viridis), [
    [68, 1, 84],
    [253, 231, 37],
    [253, 231, 37],
  ]);
});
