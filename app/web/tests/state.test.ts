import assert from "node:assert/strict";
import { test } from "node:test";
import type { Manifest, Network } from "../src/manifest";
import { firstState, readLink, type State, withNetwork, writeLink } from "../src/state";
import { words } from "../src/text";

const network = (name: string, branches: string[]): Network => ({
  name,
  title: name,
  about: "",
  size: 8,
  classes: ["cat", "dog", "crème, brûlée"],
  branches: branches.map((branch) => ({ name: branch, origin: "trained" })),
  channels: 2,
  norm_layers: [2],
  cells: [2, 2],
  layer: "s",
  graph: "g",
  norms: "n",
  pictures: ["one", "two & three"].map((picture) => ({
    name: picture,
    title: picture,
    png: "",
    true_class: null,
  })),
});

const manifest = {
  networks: [network("shapes", ["main", "aux"]), network("cats", ["main", "aux", "aux2"])],
  first: {
    network: "shapes",
    picture: "one",
    settings: {
      attack: "pgd",
      norm: "linf",
      epsilon: 2 / 255,
      steps: 10,
      attack_branch: "main",
      method: "grad-cam",
      target: null,
    },
  },
} as unknown as Manifest;

test("a link holds the whole state", () => {
  const states: State[] = [
    firstState(manifest),
    {
      network: "cats",
      picture: "two & three",
      right: "none",
      settings: {
        attack: "fgsm",
        norm: "l2",
        epsilon: 0.5,
        steps: 3,
        attack_branch: "aux2",
        method: "saliency",
        target: 2,
      },
      step: 1,
      dial: "aux2",
      blend: 0.3,
      hide: ["controls", "maps"],
    },
  ];
  for (const state of states) {
    const { state: read, complaints } = readLink(`#${writeLink(state)}`, manifest);
    assert.deepEqual(read, state);
    assert.deepEqual(complaints, []);
  }
});

test("an empty link is the first state", () => {
  assert.deepEqual(readLink("", manifest).state, firstState(manifest));
});

test("what a link asks for and is not there is named, and the rest is kept", () => {
  const cases = {
    "v=1&network=dogs": "network",
    "v=1&picture=three": "picture",
    "v=1&picture=yours-1": "own-picture",
    "v=1&epsilon=1e999": "value",
    "v=1&epsilon=1/0": "value",
    "v=1&epsilon=-1/255": "value",
    "v=1&steps=2.5": "value",
    "v=1&steps=99999": "value",
    "v=1&target=3": "value",
    "v=1&right=3": "value",
    "v=1&blend=2": "value",
    "v=1&epsilon=17/255": "value",
    "v=1&through=aux2": "value",
    "v=1&hide=everything": "value",
    "v=2&network=cats": "version",
  };
  for (const [link, about] of Object.entries(cases)) {
    const { state, complaints } = readLink(`${link}&map=saliency`, manifest);
    assert.deepEqual(
      complaints.map((complaint) => complaint.about),
      [about],
      link,
    );
    assert.ok(words.complaint(complaints[0]).endsWith("."), link);
    assert.equal(state.settings.method, about === "version" ? "grad-cam" : "saliency");
  }
});

test("a norm without a radius has its own usual one", () => {
  assert.equal(readLink("v=1&norm=l2", manifest).state.settings.epsilon, 1);
  assert.equal(readLink("v=1&norm=linf", manifest).state.settings.epsilon, 2 / 255);
});

test("a link finds an own picture while the page still holds it", () => {
  const { state, complaints } = readLink("v=1&picture=yours-1", manifest, new Set(["yours-1"]));
  assert.equal(state.picture, "yours-1");
  assert.deepEqual(complaints, []);
});

test("another network drops the target and a branch it does not have", () => {
  const cats = manifest.networks[1];
  const first = withNetwork(firstState(manifest), cats);
  const settings = { ...first.settings, attack_branch: "aux2", target: 1 };
  const back = withNetwork({ ...first, settings, dial: "aux2" }, manifest.networks[0]);
  assert.equal(back.settings.attack_branch, "main");
  assert.equal(back.settings.target, null);
  assert.equal(back.dial, "aux");
});
