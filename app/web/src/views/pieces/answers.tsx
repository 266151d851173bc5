/** What a branch answers to the clean and to the changed picture. */

import { useRef } from "preact/hooks";
import type { Answers } from "../../engine/findings";
import { largestIndex, largestIndices } from "../../engine/numbers";
import type { Network } from "../../manifest";
import type { Comparison } from "../../network-queue";
import { percent, words } from "../../text";
import { Rich } from "../lessons/rich";

interface BarsProps {
  network: Network;
  branch: string;
  /** What is said of the branch; its name where nothing is said. */
  title?: string;
  comparison: Comparison | null;
  isPending: boolean;
  /** Whether the picture was changed at all. */
  isChanged: boolean;
}

/** Bars of the first classes of both pictures, below one sentence. */
export function AnswerBars(props: BarsProps) {
  const { network, branch, title, comparison, isPending, isChanged } = props;
  const index = network.branches.findIndex(({ name }) => name === branch);
  // Bars of another picture are hidden, and hold the room that the next ones take.
  const last = useRef(comparison);
  last.current = comparison ?? last.current;
  const sides = last.current && {
    clean: last.current.clean[branch],
    perturbed: last.current.answers[branch],
  };
  const kinds = isChanged ? (["clean", "perturbed"] as const) : (["clean"] as const);
  const classes = sides
    ? [...new Set(kinds.flatMap((kind) => largestIndices(sides[kind], 2)))]
    : [];
  return (
    <article class={isPending ? "branch pending" : "branch"} data-branch={index}>
      <h3>{title ?? branch}</h3>
      <p class="says">
        <Rich text={comparison ? answerLine(network, branch, comparison, isChanged) : "…"} />
      </p>
      <ul class={comparison ? "bars" : "bars hidden"} aria-label={title ?? branch}>
        {sides &&
          classes.map((each) => (
            <li key={each}>
              <span class="class">{network.classes[each]}</span>
              {kinds.map((kind) => (
                <span class="bar" key={kind}>
                  <span class="track">
                    <i class={kind} style={{ width: `${100 * sides[kind][each]}%` }} />
                  </span>
                  <span class="share">
                    <span class="spoken">{words[kind]} </span>
                    {percent(sides[kind][each])}
                  </span>
                </span>
              ))}
            </li>
          ))}
      </ul>
    </article>
  );
}

/** Which bar is of which picture. */
export function BarLegend() {
  return (
    <p class="legend">
      {(["clean", "perturbed"] as const).map((kind) => (
        <span key={kind}>
          <i class={`swatch ${kind}`} /> {words[kind]}
        </span>
      ))}
    </p>
  );
}

/** What a branch says of the picture before and after it was changed. */
export function answerLine(
  network: Network,
  branch: string,
  { clean, answers }: { clean: Answers; answers: Answers },
  isChanged = true,
): string {
  const [before, after] = [clean[branch], answers[branch]];
  const [from, to] = [largestIndex(before), largestIndex(after)];
  const name = (index: number) => network.classes[index];
  if (!isChanged) return words.says(name(from), before[from]);
  if (from === to) return words.stillSays(name(from), before[from], after[to]);
  return words.turns(name(from), before[from], name(to), after[to]);
}
