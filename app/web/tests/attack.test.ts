import assert from "node:assert/strict";
import { test } from "node:test";
import { type Walk, walkFrom, walkPixels } from "../src/engine/attack";
import { BALLS } from "../src/engine/balls";
import { uniformNumbers } from "../src/engine/numbers";
import type { Norm, Settings } from "../src/manifest";

const NORMS: Norm[] = ["linf", "l2"];
const SETTINGS: Settings = {
  attack: "pgd",
  norm: "linf",
  epsilon: 4 / 255,
  steps: 5,
  attack_branch: "main",
  method: "grad-cam",
  target: null,
};

const clean = Float32Array.from([0, 0.25, 0.5, 1]);
const slope = Float32Array.from([-1, 2, 0, 3]);

async function lastOf(walk: Walk): Promise<Float32Array> {
  let last: Float32Array = clean;
  for await (const pixels of walkPixels(clean, walk, async () => slope)) last = pixels;
  return last;
}

const near = (a: Float32Array, b: number[]) =>
  a.forEach((value, index) => {
    assert.ok(Math.abs(value - b[index]) < 1e-6, `${a} is not ${b}`);
  });

test("FGSM moves each value by epsilon along the gradient's sign, inside [0, 1]", async () => {
  const walk = walkFrom({ ...SETTINGS, attack: "fgsm", epsilon: 0.1 }, clean.length);
  near(await lastOf(walk), [0, 0.35, 0.5, 1]);
});

test("a target turns the attack around", async () => {
  const settings: Settings = { ...SETTINGS, attack: "fgsm", epsilon: 0.1, target: 1 };
  near(await lastOf(walkFrom(settings, clean.length)), [0.1, 0.15, 0.5, 0.9]);
});

test("L2 steps have length epsilon", async () => {
  const settings: Settings = { ...SETTINGS, attack: "fgsm", norm: "l2", epsilon: 0.1 };
  const length = Math.hypot(...slope);
  const moved = await lastOf(walkFrom(settings, clean.length));
  near(moved, [0, 0.25 + 0.2 / length, 0.5, 1]);
});

test("a gradient too short to be squared still gives a whole step", () => {
  const direction = BALLS.l2.direction(Float32Array.from([3e-38, 4e-38]));
  near(direction, [0.6, 0.8]);
  near(BALLS.l2.direction(new Float32Array(2)), [0, 0]);
});

for (const norm of NORMS) {
  test(`${norm}: every frame lies in the ball and in [0, 1]; epsilon 0 is the identity`, async () => {
    for (const epsilon of [0, 0.05]) {
      const walk = walkFrom({ ...SETTINGS, norm, epsilon }, clean.length);
      let frames = 0;
      for await (const pixels of walkPixels(clean, walk, async () => slope)) {
        const change = pixels.map((value, index) => value - clean[index]);
        assert.ok(BALLS[norm].length(change) <= epsilon + 1e-6);
        assert.ok(pixels.every((value) => value >= 0 && value <= 1));
        frames += 1;
      }
      assert.equal(frames, SETTINGS.steps + 1);
    }
  });

  test(`${norm}: random starts fill the ball and are the same for one seed`, () => {
    const draw = (seed: number) => BALLS[norm].start(1000, 0.5, uniformNumbers(seed));
    assert.deepEqual(draw(1), draw(1));
    assert.notDeepEqual(draw(1), draw(2));
    const length = BALLS[norm].length(draw(1));
    assert.ok(length <= 0.5 && length > 0.45);
  });
}
