import assert from "node:assert/strict";
import { test } from "node:test";
import { LANGUAGES } from "../src/text";

/** Names that people of all languages read alike. */
const NAMES = [
  "PGD",
  "FGSM",
  "L∞",
  "L2",
  "Grad-CAM",
  "AdvProp",
  "main",
  "aux",
  "advprop-answers",
  "",
];
/** Functions without a word of their own. */
const WORDLESS = ["fileName", "training.percent", "training.lossValue", "training.statisticValue"];

/** Each text by its path; of a function its source, which holds its text. */
function* leaves(words: unknown, path: string): Generator<[string, string]> {
  if (typeof words === "string" || typeof words === "function") yield [path, String(words)];
  else {
    for (const [key, inner] of Object.entries(words as object)) {
      yield* leaves(inner, path ? `${path}.${key}` : key);
    }
  }
}

const english = new Map(leaves(LANGUAGES.en.words, ""));

for (const [code, { words }] of Object.entries(LANGUAGES)) {
  if (code === "en") continue;
  test(`nothing is left in English in ${code}, and nothing is empty`, () => {
    const texts = [...leaves(words, "")];
    for (const [path, text] of texts) {
      const isSame = text === english.get(path);
      assert.ok(!isSame || NAMES.includes(text) || WORDLESS.includes(path), `${path}: ${text}`);
      assert.equal(text === "", english.get(path) === "", path);
      // A pair of ** that is not closed would show its asterisks.
      assert.equal(text.split("**").length % 2, 1, path);
    }
  });
}
