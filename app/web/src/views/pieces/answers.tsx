/** What a branch answers to the clean and to the changed picture. */

import { useRef } from "preact/hooks";
import { largestIndices } from "../../engine/numbers";
import type { Network } from "../../manifest";
import type { Comparison } from "../../network-queue";
import { answerLine } from "../../verdict";
import { Bar, KINDS } from "../bars";
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
  const kinds = isChanged ? KINDS : KINDS.slice(0, 1);
  const classes = sides
    ? [...new Set(kinds.flatMap((kind) => largestIndices(sides[kind], 2)))]
    : [];
  const says = comparison
    ? answerLine(network, comparison.clean[branch], comparison.answers[branch], isChanged)
    : "…";
  return (
    <article class={isPending ? "branch pending" : "branch"} data-branch={index}>
      <h3>{title ?? branch}</h3>
      <p class="says">
        <Rich text={says} />
      </p>
      <ul class={comparison ? "bars" : "bars hidden"} aria-label={title ?? branch}>
        {sides &&
          classes.map((each) => (
            <li key={each}>
              <span class="class">{network.classes[each]}</span>
              {kinds.map((kind) => (
                <Bar key={kind} kind={kind} share={sides[kind][each]} />
              ))}
            </li>
          ))}
      </ul>
    </article>
  );
}
