/** What an error in the engine means for a person. */

import { DamagedAsset, MissingAsset } from "./assets";

export type FailureKind = "damaged" | "missing" | "memory" | "defect";

/** What browsers and WebAssembly say where there is no more memory, in their own words. */
const OUT_OF_MEMORY = /out of memory|\bOOM\b|allocat|bad_alloc|invalid (typed )?array length/i;

export function failureOf(error: unknown): FailureKind {
  if (error instanceof DamagedAsset) return "damaged";
  if (error instanceof MissingAsset) return "missing";
  return OUT_OF_MEMORY.test(textOf(error)) ? "memory" : "defect";
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
