import assert from "node:assert/strict";
import { test } from "node:test";
import { measure, roundInBall, toPixels } from "../src/engine/levels";
import { normalNumber, uniformNumbers } from "../src/engine/numbers";

const uniform = uniformNumbers(0);
const clean = new Uint8Array(3000).map(() => 256 * uniform());

test("in L∞ the rounded picture stays in the ball and is the nearest one", () => {
  const pixels = toPixels(clean).map((value) => value + (uniform() - 0.5) / 50);
  const rounded = roundInBall(pixels, clean, "linf", 2.6 / 255);
  assert.equal(measure(rounded, clean).linf, 2);
  for (const [index, level] of rounded.entries()) {
    const nearest = Math.min(Math.max(Math.round(255 * pixels[index]), 0), 255);
    if (Math.abs(nearest - clean[index]) <= 2) assert.equal(level, nearest);
  }
});

test("in L2 changes of less than half a level are not lost", () => {
  const epsilon = 0.02;
  const noise = new Float32Array(clean.length).map(() => normalNumber(uniform));
  const scale = epsilon / Math.hypot(...noise);
  const pixels = toPixels(clean).map((value, index) => value + scale * noise[index]);
  assert.equal(measure(roundInBall(pixels, clean, "linf", 1), clean).linf, 0);
  const { l2 } = measure(roundInBall(pixels, clean, "l2", epsilon), clean);
  assert.ok(l2 <= epsilon + 1e-6 && l2 > 0.9 * epsilon, `${l2}`);
});

test("an epsilon of 0 changes nothing", () => {
  const pixels = toPixels(clean).map((value) => Math.min(value + 0.1, 1));
  for (const norm of ["linf", "l2"] as const) {
    assert.deepEqual(roundInBall(pixels, clean, norm, 0), clean);
  }
});
