/** The catalogues, one a language, and the one that the page reads from. */

import { en } from "./en";
import { ENGLISH, JAPANESE, type Typography, writeAs } from "./format";
import { ja } from "./ja";
import type { Translated } from "./translated";

export { afterName, join, mark, number, percent, points, radius, sentences } from "./format";
export type Words = Translated<typeof en>;

export interface Language {
  /** In the language itself. */
  name: string;
  words: Words;
  typography: Typography;
}

/** By the code of `<html lang>` and of the link. */
export const LANGUAGES: Record<string, Language> = {
  en: { name: "English", words: en, typography: ENGLISH },
  ja: { name: "日本語", words: ja, typography: JAPANESE },
};
const FIRST = "en";

/** What the page says, in the language that was chosen. Ask for it when you write, not before. */
export let words: Words = en;
export let language = FIRST;

export function speak(code: string): void {
  language = code in LANGUAGES ? code : FIRST;
  words = LANGUAGES[language].words;
  writeAs(LANGUAGES[language].typography);
  document.documentElement.lang = language;
}

/** The first of these that the page speaks, `zh-Hant-TW` as `zh`; English where it speaks none. */
export function spokenOf(wanted: readonly string[]): string {
  const codes = wanted.map((tag) => tag.toLowerCase().split("-")[0]);
  return codes.find((code) => code in LANGUAGES) ?? FIRST;
}
