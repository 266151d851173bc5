import assert from "node:assert/strict";
import { test } from "node:test";
import { Branches } from "../src/engine/branches";
import { Comparer, DIAL_POINTS } from "../src/engine/compare";
import { failureOf } from "../src/engine/failures";
import type { Job, Part } from "../src/engine/findings";
import type { Graph } from "../src/engine/graph";
import type { Network, Settings } from "../src/manifest";

const SIZE = 2;
const network = {
  name: "two",
  size: SIZE,
  classes: ["dark", "bright"],
  branches: [
    { name: "main", origin: "trained" },
    { name: "aux", origin: "trained" },
  ],
  channels: 1,
  cells: [1, 1],
} as unknown as Network;

/** Bright where scale × mean + shift is above 0; main gives way sooner than aux. */
function linearGraph(runs: { count: number }): Graph {
  return {
    async run(pixels, norm, classIndex, attacks) {
      runs.count += 1;
      const [scale, shift] = norm;
      const score = (scale * pixels.reduce((a, b) => a + b, 0)) / pixels.length + shift;
      const towards = (classIndex === 1 ? 1 : -1) * (attacks ? -1 : 1) * scale;
      return {
        logits: Float32Array.from([-score, score]),
        gradient: pixels.map(() => towards),
        cam: Float32Array.from([Math.max(score, 0)]),
      };
    },
    release: async () => {},
  };
}

const norms = Float32Array.from([10, -4.9, 10, -4.7]);
const settings: Settings = {
  attack: "pgd",
  norm: "linf",
  epsilon: 4 / 255,
  steps: 4,
  attack_branch: "main",
  method: "grad-cam",
  target: null,
};
const job: Job = {
  id: 1,
  picture: "grey",
  clean: new Uint8Array(3 * SIZE * SIZE).fill(127),
  trueClass: null,
  settings,
  step: null,
  dial: "aux",
  isLive: false,
};

async function partsOf(change: Partial<Job>, breathe = async () => {}, runs = { count: 0 }) {
  const parts: Part[] = [];
  const graph = linearGraph(runs);
  const comparer = new Comparer(graph, new Branches(network, norms), network, breathe);
  const compare = () => comparer.compare({ ...job, ...change }, (part) => parts.push(part));
  await compare();
  return { parts, compare };
}

const partOf = <K extends Part["kind"]>(parts: Part[], kind: K) =>
  parts.find((part) => part.kind === kind) as Part & { kind: K };

test("answers come first, then maps, film and dial", async () => {
  const { parts } = await partsOf({});
  const kinds = parts.map((part) => part.kind).filter((kind) => kind !== "progress");
  assert.deepEqual(kinds, ["answers", "maps", "film", "dial", "done"]);
  const answers = partOf(parts, "answers");
  assert.equal(answers.label, 1);
  assert.equal(answers.frames.length, settings.steps + 1);
  assert.ok(answers.clean.main[1] > 0.5 && answers.perturbed.main[1] < 0.5);
  assert.ok(answers.perturbed.aux[1] > 0.5);
  const { maps } = partOf(parts, "maps");
  assert.deepEqual([maps.clean.main.classIndex, maps.perturbed.main.classIndex], [1, 0]);
  const { points } = partOf(parts, "dial");
  assert.equal(points.perturbed.length, DIAL_POINTS);
  assert.deepEqual([points.perturbed[0].classIndex, points.perturbed[10].classIndex], [0, 1]);
});

test("every answer is about the 8-bit picture that is shown", async () => {
  const { parts } = await partsOf({});
  const { frames, perturbed } = partOf(parts, "answers");
  const again = await partsOf({
    picture: "saved",
    clean: frames[frames.length - 1],
    settings: { ...settings, attack: "none" },
  });
  assert.deepEqual(partOf(again.parts, "answers").clean, perturbed);
});

test("what was asked before is not asked again", async () => {
  const runs = { count: 0 };
  const { compare } = await partsOf({}, undefined, runs);
  const before = runs.count;
  await compare();
  assert.equal(runs.count, before);
});

test("a newer job ends an attack between two steps, and leaves nothing half done", async () => {
  let left = 5;
  const parts: Part[] = [];
  const breathe = async () => {
    if (left-- === 0) throw new Error("superseded");
  };
  const graph = linearGraph({ count: 0 });
  const comparer = new Comparer(graph, new Branches(network, norms), network, breathe);
  await assert.rejects(
    comparer.compare(job, (part) => parts.push(part)),
    /superseded/,
  );
  const kinds = new Set(parts.map((part) => part.kind));
  assert.deepEqual([...kinds], ["progress"]);
  await comparer.compare(job, (part) => parts.push(part));
  assert.equal(partOf(parts, "answers").frames.length, settings.steps + 1);
});

test("a device without memory is told so, and what was there before stays", async () => {
  const graph = linearGraph({ count: 0 });
  const comparer = new Comparer(graph, new Branches(network, norms), network, async () => {});
  const parts: Part[] = [];
  const { run } = graph;
  graph.run = async (...given) => {
    if (given[3]) new Float32Array(2 ** 50); // as a device without memory would answer
    return run(...given);
  };
  const failed = await comparer.compare(job, (part) => parts.push(part)).catch((error) => error);
  assert.equal(failureOf(failed), "memory");
  assert.equal(failureOf(new Error("Aborted(OOM). Build with -sASSERTIONS")), "memory");
  assert.equal(failureOf(new RangeError("Maximum call stack size exceeded")), "defect");
  graph.run = run;
  await comparer.compare(job, (part) => parts.push(part));
  assert.equal(partOf(parts, "answers").frames.length, settings.steps + 1);
});

test("a frame of the camera gets answers alone", async () => {
  const { parts } = await partsOf({ isLive: true });
  assert.ok(parts.every(({ kind }) => ["answers", "progress"].includes(kind)));
});

test("shuffled norm layers hold the same numbers, pair by pair, from the last layer on", () => {
  const layered = { ...network, channels: 5, norm_layers: [2, 3] } as Network;
  const norm = Float32Array.from([1, 2, 3, 4, 5, 10, 20, 30, 40, 50]);
  const branches = new Branches(layered, Float32Array.from([...norm, ...norm]));
  const changed = branches.shuffled("main", 1, 3);
  assert.deepEqual(changed.slice(0, 2), norm.slice(0, 2));
  assert.deepEqual(changed.slice(2, 5).sort(), norm.slice(2, 5));
  assert.ok(changed.slice(0, 5).every((scale, channel) => changed[5 + channel] === 10 * scale));
  assert.notDeepEqual(branches.shuffled("main", 2, 1), norm);
  assert.deepEqual(branches.norm("main"), norm);
});
