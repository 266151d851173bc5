/** Probabilities as bars, plain for the clean picture and hatched for the perturbed one. */

import type { InputKind } from "../manifest";
import { percent, words } from "../text";

export const KINDS: readonly InputKind[] = ["clean", "perturbed"];

/** Which bar is of which picture. */
export function BarLegend() {
  return (
    <p class="legend">
      {KINDS.map((kind) => (
        <span key={kind}>
          <i class={`swatch ${kind}`} /> {words[kind]}
        </span>
      ))}
    </p>
  );
}

export function Bar({ kind, share }: { kind: InputKind; share: number }) {
  return (
    <span class="bar">
      <span class="track">
        <i class={kind} style={{ width: `${100 * (share || 0)}%` }} />
      </span>
      <span class="share">
        <span class="spoken">{words[kind]} </span>
        {percent(share)}
      </span>
    </span>
  );
}
