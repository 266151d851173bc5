/**
 * The loop that trains a network in the page, on the graphs that Python wrote.
 *
 * LAB_TRAINING names the folder with plan.json, levels.bin, step.onnx and evaluation.onnx.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { TrainingPlan } from "../src/manifest";
import { Batches, splitSheet, turn } from "../src/training/batches";
import { learningRate, TrainingLoop } from "../src/training/loop";
import type { Progress } from "../src/training/messages";
import { openRun } from "../src/training/runner";
import { affineOf, gapOf, statisticsAt } from "../src/training/statistics";

const folder = process.env.LAB_TRAINING;
const read = (name: string) => readFileSync(`${folder}/${name}`);

test("the loss falls within 20 steps, and a seed gives the same run again", {
  skip: !folder && "LAB_TRAINING is not set",
}, async () => {
  const plan = JSON.parse(read("plan.json").toString()) as TrainingPlan;
  const pictures = splitSheet(read("levels.bin"), plan);
  const runs = {
    step: await openRun(read("step.onnx"), null),
    evaluate: await openRun(read("evaluation.onnx"), null),
  };
  const train = async (seed: number, steps: number) => {
    const settings = { objective: "advprop", epsilon: 4 / 255, seed } as const;
    const loop = new TrainingLoop(plan, settings, pictures, runs);
    const losses: number[] = [];
    while (loop.step < steps) losses.push((await loop.next()).losses[0]);
    return { loop, losses };
  };
  const { loop, losses } = await train(1, 20);
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  const [first, last] = [mean(losses.slice(0, 4)), mean(losses.slice(-4))];
  assert.ok(last < first - 0.5, `from ${first} to ${last}`);
  const accuracies = await loop.evaluate();
  assert.deepEqual(Object.keys(accuracies), ["main", "aux"]);
  for (const { clean, adversarial } of Object.values(accuracies)) {
    assert.ok(clean >= adversarial && clean <= 1 && adversarial >= 0);
  }
  const again = await train(1, 3);
  assert.deepEqual(again.losses, losses.slice(0, 3));
  assert.notEqual((await train(2, 1)).losses[0], losses[0]);
});

test("a picture is turned eight ways, and each picture comes once before any comes again", () => {
  const size = 2;
  const picture = Uint8Array.from([0, 51, 102, 153, ...Array(8).fill(255)]);
  const ways = Array.from({ length: 8 }, (_, way) => {
    const target = new Float32Array(12);
    turn(picture, size, way, target, 0);
    return Array.from(target.subarray(0, 4), (value) => Math.round(value * 5)).join("");
  });
  assert.equal(ways[0], "0123");
  assert.equal(new Set(ways).size, 8);
  const labels = [0, 1, 2, 3];
  const levels = Uint8Array.from(labels.flatMap((label) => Array(12).fill(label)));
  const batches = new Batches({ levels, labels }, size, 4, 7);
  const seen = [batches.next(2), batches.next(2)].flatMap(({ oneHot }) =>
    [oneHot.subarray(0, 4), oneHot.subarray(4)].map((row) => row.indexOf(1)),
  );
  assert.deepEqual(seen.sort(), labels);
});

test("the learning rate rises, then falls to nothing", () => {
  const plan = { steps: 100, learning_rate: 0.2 } as TrainingPlan;
  const rates = Array.from({ length: 101 }, (_, step) => learningRate(step, plan));
  assert.ok(rates[0] < 0.02 && rates[100] < 1e-9);
  assert.ok(Math.max(...rates) > 0.17 && Math.max(...rates) <= 0.2);
});

test("statistics are read channel by channel, and become a scale and a shift", () => {
  // One branch, two channels: γ, β, running mean, running variance.
  const norms = Float32Array.from([2, 1, 0, 3, 5, 7, 4, 9]);
  const kinds = Float32Array.from([4, 6, 1, 1, 5, 6, 1, 1]);
  const progress: Progress = { step: 1, losses: [], norms, kinds };
  assert.deepEqual(statisticsAt(progress, 0, 2, "mean"), { running: [5], kinds: [4, 5] });
  assert.deepEqual(statisticsAt(progress, 1, 2, "variance"), { running: [9], kinds: [1, 1] });
  assert.ok(Math.abs(gapOf(progress, 0, 2) - 1) < 1e-6);
  assert.equal(gapOf(progress, 1, 2), 0);
  const affine = Array.from(affineOf(norms, 1, 0), (value) => Number(value.toFixed(4)));
  assert.deepEqual(affine, [1, 0.3333, -5, 0.6667]);
});
