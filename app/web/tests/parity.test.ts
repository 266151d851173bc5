/**
 * The engine against numbers that Python wrote: the same steps, answers and maps.
 *
 * LAB_CASES names the folder with manifest.json, graph.onnx, norms.bin and cases.json.
 */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type Walk, walkPixels } from "../src/engine/attack";
import { Branches } from "../src/engine/branches";
import { mapOf } from "../src/engine/compare";
import { openGraph } from "../src/engine/graph";
import { toPixels } from "../src/engine/levels";
import { largestIndex, largestOf, softmax } from "../src/engine/numbers";
import type { Network, Norm } from "../src/manifest";

interface Case {
  branch: string;
  norm: Norm;
  epsilon: number;
  step_size: number;
  steps: number;
  label: number;
  target: number | null;
  pixels: string;
  start: string;
  perturbed: string;
  logits: number[];
  saliency: string;
  cam: number[];
}

const folder = process.env.LAB_CASES;
const PIXEL_GAP = 1e-2 / 255;
const LOGIT_GAP = 1e-4;
/** Of a map's range. */
const MAP_GAP = 1e-3;
/** Of one map in 20: where a ReLU's input is nearly 0, rounding lets it through or not. */
const RARE_MAP_GAP = 2e-2;
/** Share of values that may differ: a gradient near 0 may get the other sign, and steps follow it. */
const OTHER_SIGNS = 1e-2;
/** What that may change of the first class's probability. */
const PROBABILITY_GAP = 1e-2;

const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, "base64"));
const floatsOf = (text: string) => new Float32Array(bytesOf(text).buffer);

function largestGap(a: ArrayLike<number>, b: ArrayLike<number>): number {
  assert.equal(a.length, b.length);
  return largestOf(Array.from(a, (value, index) => Math.abs(value - b[index])));
}

test("steps, answers and maps equal Python's", {
  skip: !folder && "LAB_CASES is not set",
}, async () => {
  const read = (name: string) => readFileSync(`${folder}/${name}`);
  const network = JSON.parse(read("manifest.json").toString()) as Network;
  const cases = JSON.parse(read("cases.json").toString()) as Case[];
  const graph = await openGraph(read("graph.onnx"), network, null);
  const norms = new Float32Array(new Uint8Array(read("norms.bin")).buffer);
  const branches = new Branches(network, norms);
  assert.ok(cases.length > 0);
  let rare = 0;
  for (const [index, expected] of cases.entries()) {
    const clean = toPixels(bytesOf(expected.pixels));
    const norm = branches.norm(expected.branch);
    const walk: Walk = {
      norm: expected.norm,
      epsilon: expected.epsilon,
      stepSize: expected.step_size,
      steps: expected.steps,
      start: floatsOf(expected.start).map((value, place) => value - clean[place]),
      descend: expected.target !== null,
    };
    const label = expected.target ?? expected.label;
    let perturbed = clean;
    const gradient = async (pixels: Float32Array) =>
      (await graph.run(pixels, norm, label, true)).gradient;
    for await (const pixels of walkPixels(clean, walk, gradient)) perturbed = pixels;
    const name = `case ${index}, ${expected.branch} ${expected.norm}`;
    const expectedPixels = floatsOf(expected.perturbed);
    const others = expectedPixels.filter(
      (value, place) => Math.abs(value - perturbed[place]) > PIXEL_GAP,
    );
    assert.ok(others.length <= OTHER_SIGNS * perturbed.length, `${name}: ${others.length} pixels`);
    const classIndex = largestIndex(expected.logits);
    const answer = softmax((await graph.run(perturbed, norm, classIndex, false)).logits);
    assert.equal(largestIndex(answer), classIndex, `${name}: another answer`);
    const probability = softmax(Float32Array.from(expected.logits))[classIndex];
    assert.ok(Math.abs(answer[classIndex] - probability) < PROBABILITY_GAP, `${name}: probability`);
    const outputs = await graph.run(expectedPixels, norm, classIndex, false);
    assert.ok(largestGap(outputs.logits, expected.logits) < LOGIT_GAP, `${name}: logits`);
    for (const [method, values] of [
      ["grad-cam", expected.cam],
      ["saliency", floatsOf(expected.saliency)],
    ] as const) {
      const drawn = mapOf(outputs, classIndex, method, network).values;
      const [gap, range] = [largestGap(drawn, values), largestOf(values)];
      assert.ok(gap <= RARE_MAP_GAP * range, `${name}: ${method} differs by ${gap} of ${range}`);
      if (gap > MAP_GAP * range) rare += 1;
    }
  }
  assert.ok(rare <= cases.length / 10, `${rare} maps differ`); // two maps a case
});
