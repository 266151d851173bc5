import assert from "node:assert/strict";
import { test } from "node:test";
import type { Judgement } from "../src/lessons/answers";
import { duelsOf } from "../src/lessons/duels";
import { strengthsOf } from "../src/lessons/preferences";
import type { LessonScene } from "../src/manifest";

function judged(left: string, right: string, preferred: Judgement["preferred"]): Judgement {
  return { scene: "scene-1", left, right, preferred };
}

function times(count: number, judgement: Judgement): Judgement[] {
  return Array.from({ length: count }, () => judgement);
}

test("two candidates: the odds are those of the counts, with one tie", () => {
  const judgements = [
    ...times(29, judged("a", "b", "left")),
    ...times(10, judged("a", "b", "right")),
  ];
  const [a, b] = strengthsOf(
    ["a", "b"],
    judgements.map((each) => [each]),
  );
  // 29½ to 10½ is the chance of a against b, whose strengths are opposite.
  const odds = Math.sqrt(29.5 / 10.5);
  assert.ok(Math.abs(a.share - odds / (1 + odds)) < 1e-6);
  assert.ok(Math.abs(a.share + b.share - 1) < 1e-9);
  assert.ok(a.interval && a.interval.low > 0.5 && a.interval.high < 0.75);
  assert.equal(a.judged, 39);
});

test("who never won has an interval; a tie is half a win; sides do not count", () => {
  const never = strengthsOf(
    ["a", "b", "c"],
    times(12, judged("b", "a", "left")).map((j) => [j]),
  );
  assert.ok(never[0].share < 0.35 && never[0].share > 0);
  assert.ok(Math.abs(never[2].share - 0.5) < 1e-6);
  const ties = strengthsOf(
    ["a", "b"],
    times(6, judged("a", "b", "neither")).map((j) => [j]),
  );
  assert.ok(Math.abs(ties[0].share - 0.5) < 1e-9);
  const turned = strengthsOf(
    ["a", "b"],
    times(5, judged("b", "a", "right")).map((j) => [j]),
  );
  assert.ok(turned[0].share > turned[1].share);
});

test("a class is as many as its people, not its judgements", () => {
  const ofOne = (count: number) => [
    ...times(count, judged("a", "b", "left")),
    ...times(count / 2, judged("a", "b", "right")),
  ];
  const other = (count: number) => times(count, judged("a", "b", "right"));
  const people = [ofOne(20), ofOne(20), other(10)];
  const wide = strengthsOf(["a", "b"], people)[0].interval;
  const narrow = strengthsOf(
    ["a", "b"],
    people.flat().map((each) => [each]),
  )[0].interval;
  assert.ok(wide && narrow);
  assert.ok(wide.high - wide.low > 2 * (narrow.high - narrow.low));
  assert.equal(strengthsOf(["a", "b"], [ofOne(20)])[0].interval, null);
});

test("each pair meets on each scene, on sides by chance, the same for the same reader", () => {
  const candidates = ["x", "y", "z"].map((name) => ({ name, network: name, branch: "main" }));
  const scenes = Array.from({ length: 12 }, (_, i) => ({ name: `s${i}` }) as LessonScene);
  const duels = duelsOf(candidates, scenes, "00000000deadbeef");
  assert.deepEqual(duels, duelsOf(candidates, scenes, "00000000deadbeef"));
  const met = duels.map(({ scene, left, right }) => [
    scene.name,
    ...[left.name, right.name].sort(),
  ]);
  assert.equal(new Set(met.map(String)).size, 36);
  // The first twelve: no scene twice, and each pair as often as the others.
  const round = met.slice(0, 12);
  assert.equal(new Set(round.map(([scene]) => scene)).size, 12);
  for (const pair of ["x,y", "x,z", "y,z"]) {
    assert.equal(round.filter(([, ...names]) => String(names) === pair).length, 4);
  }
  const first = duels.filter(({ left }) => left.name === "x").length;
  assert.ok(first > 6 && first < 18);
});
