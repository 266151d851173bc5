import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Answers, type LessonAnswers, noAnswers, readAnswers } from "../src/lessons/answers";
import { NO_FILES, withFiles } from "../src/lessons/class-files";
import { accuracyOf, fit, rankCorrelation, readDigits } from "../src/lessons/digits";
import { LESSONS, testForm } from "../src/lessons/plan";
import { Progress } from "../src/lessons/progress";
import { gainOf, studentReach } from "../src/lessons/statistics";
import type { LessonMaterial } from "../src/manifest";
import { hashOf, readRoute } from "../src/route";
import { LANGUAGES, spokenOf } from "../src/text";

const [FIRST] = LESSONS;

for (const [code, { words }] of Object.entries(LANGUAGES)) {
  test(`every part of the plan has its text in ${code}, and every right choice exists`, () => {
    for (const lesson of LESSONS) {
      const { parts, tests } = words.lessons.lessons[lesson.id];
      assert.deepEqual(lesson.parts.map(({ id }) => id).sort(), Object.keys(parts).sort());
      for (const { id, right } of lesson.parts) {
        const text = (parts as Record<string, unknown>)[id] as { choices?: string[] };
        assert.equal(right !== undefined, "choices" in text, `${lesson.id} ${id}`);
        if (typeof right === "number") assert.ok(right < (text.choices?.length ?? 0));
      }
      for (const form of ["a", "b"] as const) {
        lesson.tests[form].forEach((right, index) => {
          assert.ok(right < tests[form][index].choices.length, `${lesson.id} ${form}`);
        });
      }
    }
  });
}

/** A reader of lesson 1 with so many right answers before and after. */
function reader(number: number, order: 0 | 1, before: number, after: number): Answers {
  const choices = (side: "before" | "after", rights: number) =>
    FIRST.tests[testForm(order, side)].map((right, i) => (i < rights ? right : (right + 1) % 3));
  const answers: LessonAnswers = {
    before: choices("before", before),
    predictions: { attack: 2 },
    after: choices("after", after),
  };
  return {
    ...noAnswers(number.toString(16).padStart(16, "0"), order),
    lessons: { [FIRST.id]: answers },
  };
}

test("the gain is the mean over both orders, with Welch's interval", () => {
  // Order 0 gains 1, ½, ½ and 1; order 1 gains 0, ½, ½ and ½.
  const scores = [
    ...[
      [0, 2],
      [1, 2],
      [0, 1],
      [0, 2],
    ].map((score) => [0, ...score]),
    ...[
      [1, 1],
      [1, 2],
      [0, 1],
      [1, 2],
    ].map((score) => [1, ...score]),
  ];
  const gain = gainOf(
    FIRST,
    scores.map(([order, before, after], i) => reader(i, order as 0 | 1, before, after)),
  );
  assert.ok(gain?.interval);
  assert.equal(gain.readers, 8);
  assert.ok(Math.abs(gain.gain - (0.75 + 0.375) / 2) < 1e-12);
  const [first, second] = [1 / 12, 1 / 16].map((variance) => variance / 4 / 4);
  const freedom = (first + second) ** 2 / (first ** 2 / 3 + second ** 2 / 3);
  const reach = studentReach(freedom) * Math.sqrt(first + second);
  assert.ok(Math.abs(gain.interval.high - gain.gain - reach) < 1e-9);
});

test("one reader, or equal gains, have no interval; who did not finish is not counted", () => {
  assert.equal(gainOf(FIRST, [reader(1, 0, 0, 2)])?.interval, null);
  assert.equal(gainOf(FIRST, [reader(1, 0, 0, 2), reader(2, 1, 0, 2)])?.interval, null);
  const half = reader(1, 0, 0, 2);
  const begun = { ...half, lessons: { [FIRST.id]: { ...half.lessons.fooled, after: [1, null] } } };
  assert.equal(gainOf(FIRST, [begun as Answers]), null);
});

test("Student's reach is that of the tables", () => {
  for (const [freedom, reach] of [
    [1, 12.706],
    [4, 2.776],
    [29, 2.045],
    [1000, 1.962],
  ]) {
    assert.ok(Math.abs(studentReach(freedom) - reach) < 2e-3 * reach, `${freedom}`);
  }
});

test("a file is read whole, or refused for a reason; a reader counts once", () => {
  const whole = reader(7, 1, 1, 2);
  const text = JSON.stringify(whole);
  assert.deepEqual(readAnswers(text), whole);
  const changed = (change: object) => JSON.stringify({ ...whole, ...change });
  const wrong = { ...whole.lessons.fooled, predictions: { attack: 3 } };
  const files = withFiles(NO_FILES, [
    { name: "anna.json", text },
    { name: "anna again.json", text: changed({ lessons: {} }) },
    { name: "cut.json", text: text.slice(0, -5) },
    { name: "package.json", text: '{"name": "advprop-lab"}' },
    { name: "old.json", text: changed({ version: 2 }) },
    { name: "lesson.json", text: changed({ lessons: { ninth: whole.lessons.fooled } }) },
    { name: "choice.json", text: changed({ lessons: { fooled: wrong } }) },
    {
      name: "fifth.json",
      text: text.replace('"before":[', '"before":[4,').replace(/,\d\],"pred/, '],"pred'),
    },
    { name: "name.json", text: changed({ reader: "Anna" }) },
  ]);
  assert.deepEqual([...files.answers.values()], [whole]);
  assert.equal(files.repeated, 1);
  assert.deepEqual(
    files.refused.map(({ reason }) => reason),
    ["no-json", "foreign", "version", "damaged", "damaged", "damaged", "damaged"],
  );
});

test("progress comes back, is forgotten on demand, and says where storage is refused", () => {
  const kept = new Map<string, string>();
  const storage = {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => kept.set(key, value),
  } as unknown as Storage;
  const progress = new Progress(() => storage);
  progress.predict("fooled", "attack", 1);
  assert.ok(progress.isKept);
  const again = new Progress(() => storage);
  assert.deepEqual(again.answers, progress.answers);
  again.forget();
  assert.deepEqual(again.of("fooled").predictions, {});
  assert.notEqual(again.answers.reader, progress.answers.reader);
  const refused = new Progress(() => {
    throw new DOMException("storage is off", "SecurityError");
  });
  refused.answer("fooled", "before", [1, 2]);
  assert.ok(!refused.isKept);
  assert.deepEqual(refused.of("fooled").before, [1, 2]);
});

test("a link opens a page in a language; the lab's own links stay the lab's", () => {
  const lesson = readRoute(hashOf("lesson=3", "en", true));
  assert.deepEqual([lesson.page, lesson.lesson?.number], ["lesson", 3]);
  assert.deepEqual([lesson.language, lesson.hidesDoors], ["en", true]);
  assert.equal(readRoute("#teacher").page, "teacher");
  assert.equal(readRoute("#v=1&network=x&hide=doors,maps").page, "lab");
  const none = readRoute("#handout=9");
  assert.deepEqual([none.page, none.unknown], ["lessons", "9"]);
  assert.equal(spokenOf(["xx-YY", "en-US"]), "en");
});

const folder = process.env.LAB_CASES;
test("digits are attacked as in Python", { skip: !folder }, () => {
  const text = readFileSync(join(folder ?? "", "lessons.json"), "utf8");
  const { material, errors } = JSON.parse(text) as {
    material: LessonMaterial;
    errors: Record<"natural" | "robust", { clean: number; attacked: number }>;
  };
  const { digits } = material;
  const digitsOf = {
    train: readDigits(digits.train, digits),
    test: readDigits(digits.test, digits),
  };
  for (const name of ["natural", "robust"] as const) {
    const { clean, attacked } = errors[name];
    assert.ok(Math.abs(accuracyOf(digits[name], digitsOf.test, 0) - 1 + clean) < 1e-9);
    const share = accuracyOf(digits[name], digitsOf.test, digits.epsilon);
    assert.ok(Math.abs(share - 1 + attacked) < 1e-9);
  }
  const signs = digitsOf.train.map(({ sign }) => sign);
  const fitted = fit(digitsOf.train, signs);
  assert.ok(accuracyOf(fitted, digitsOf.test, 0) > 0.98);
  assert.ok(rankCorrelation(fitted.weight, digits.natural.weight) > 0.8);
});
