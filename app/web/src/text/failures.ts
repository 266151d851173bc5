/** What is said where a network cannot run. */

import type { FailureKind } from "../engine/failures";
import { words } from ".";

/** What a browser may lack. */
export type MissingFeature = "simd" | "decompression";

/** @param what The asset or the error. */
export function failureText(kind: FailureKind | MissingFeature, what: string): string {
  switch (kind) {
    case "simd":
      return words.noSimd;
    case "decompression":
      return words.noDecompression;
    case "memory":
      return words.outOfMemory;
    default:
      return words[kind](what);
  }
}
