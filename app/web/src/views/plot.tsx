/** A drawing between two axes that say what they are. */

import type { ComponentChildren } from "preact";

interface PlotProps {
  /** What is drawn upwards. */
  valueName: string;
  /** What the upper and the lower end of the value axis stand for. */
  values: readonly [highest: string, lowest: string];
  /** What is drawn to the right. */
  name: string;
  /** What the left and the right end stand for. */
  ends: readonly [first: string, last: string];
  children: ComponentChildren;
}

export function Plot({ valueName, values, name, ends, children }: PlotProps) {
  const [highest, lowest] = values;
  const [first, last] = ends;
  return (
    <div class="plot" aria-hidden="true">
      <span class="axis-name">↑ {valueName}</span>
      <span class="axis">
        <span>{highest}</span>
        <span>{lowest}</span>
      </span>
      {children}
      <span class="ends">
        <span>{first}</span>
        <span>{name} →</span>
        <span>{last}</span>
      </span>
    </div>
  );
}

export interface Key {
  key: string;
  /** Of its colour; null for what belongs to no branch. */
  branch: number | null;
  /** How it is drawn, as a class of the style sheet. */
  drawn: "line" | "line dashed" | "dot" | "ring";
  label: string;
}

/** What stands for what in a plot. */
export function Legend({ keys }: { keys: readonly Key[] }) {
  return (
    <ul class="legend keys">
      {keys.map(({ key, branch, drawn, label }) => (
        <li key={key} data-branch={branch ?? undefined}>
          <i class={drawn} /> {label}
        </li>
      ))}
    </ul>
  );
}
