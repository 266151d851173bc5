/** What the page and its worker say to each other. */

import type { Source } from "./engine/assets";
import type { FailureKind } from "./engine/failures";
import type { Job, Look, Looked, Part } from "./engine/findings";
import type { Network } from "./manifest";

export type Request =
  | {
      kind: "open";
      network: Network;
      wasm: Source;
      graph: Source;
      norms: Source;
      weights: Source | null;
    }
  | { kind: "compare"; network: string; job: Job }
  | { kind: "look"; network: string; id: number; look: Look };

export type Reply =
  | { kind: "opening"; network: string; share: number }
  | { kind: "opened"; network: string }
  | { kind: "part"; id: number; part: Part }
  | { kind: "looked"; id: number; looked: Looked }
  | { kind: "failed"; failure: FailureKind; what: string; id: number | null };
