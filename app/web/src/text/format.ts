/** Numbers, shares, radii and lists as people of a language read them. */

import type { Norm } from "../manifest";

/** What differs between languages; the rest follows from `locale`, through Intl. */
export interface Typography {
  /** For Intl. */
  locale: string;
  /** Between a number and its percent sign. */
  beforePercent: string;
  /** What the page itself puts between texts; `space` stands between two sentences. */
  marks: Record<"comma" | "colon" | "semicolon" | "stop" | "space", string>;
  /** Between a branch's name and what it answers; a space where absent. */
  afterName?: string;
}

export const ENGLISH: Typography = {
  locale: "en-GB",
  beforePercent: "\u00a0",
  marks: { comma: ", ", colon: ": ", semicolon: "; ", stop: ".", space: " " },
};
export const CHINESE: Typography = {
  locale: "zh-CN",
  beforePercent: "",
  marks: { comma: "，", colon: "：", semicolon: "；", stop: "。", space: "" },
};
export const JAPANESE: Typography = {
  locale: "ja-JP",
  beforePercent: "",
  marks: { comma: "、", colon: "：", semicolon: "。", stop: "。", space: "" },
  afterName: "の",
};
let typography = ENGLISH;

export function writeAs(chosen: Typography): void {
  typography = chosen;
}

export function mark(name: keyof Typography["marks"]): string {
  return typography.marks[name];
}

export function afterName(): string {
  return typography.afterName ?? " ";
}

/** Sentences after one another. */
export function sentences(...texts: readonly string[]): string {
  return texts.join(typography.marks.space);
}

/** @param digits At most so many after the point. */
export function number(value: number, digits = 2): string {
  const format = new Intl.NumberFormat(typography.locale, { maximumFractionDigits: digits });
  return format.format(value).replace("-", "−");
}

/** How far two values are apart: one that rounds to 0 is not called 0. */
export function distance(value: number): string {
  return value > 0 && value < 0.005 ? `<${number(0.01)}` : number(value);
}

/** A share in [0, 1], in whole percent. */
export function percent(share: number): string {
  if (Number.isNaN(share)) return "–";
  const whole = Math.floor(100 * share + 0.5);
  const unit = `${typography.beforePercent}%`; // stays on the line of its number
  if (whole === 0 && share > 0) return `<1${unit}`;
  if (whole === 100 && share < 1) return `>99${unit}`;
  return `${whole}${unit}`;
}

/** A difference of two shares, in points, with its sign. */
export function points(difference: number): string {
  const whole = Math.round(100 * difference);
  const sign = whole > 0 ? "+" : whole < 0 ? "−" : "±";
  return `${sign}${number(Math.abs(whole), 0)}`;
}

export function radius(epsilon: number, norm: Norm): string {
  return norm === "linf"
    ? `${Number((255 * epsilon).toFixed(2))}/255`
    : `${Number(epsilon.toPrecision(3))} (L2)`;
}

/** `a`, `a and b`, `a, b and c`. */
export function join(words: readonly string[]): string {
  return new Intl.ListFormat(typography.locale, { type: "conjunction" }).format(words);
}
