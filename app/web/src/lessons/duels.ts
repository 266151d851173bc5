/** Which two maps are judged next. */

import { shuffled, uniformNumbers } from "../engine/numbers";
import type { LessonScene, Manifest } from "../manifest";

/** A branch of a network; its name is `network/branch`. */
export interface Candidate {
  name: string;
  network: string;
  branch: string;
}

const CANDIDATES: readonly Candidate[] = [
  ["shapes-vanilla", "main"],
  ["shapes-adversarial", "main"],
  ["shapes-advprop", "main"],
  ["shapes-advprop", "aux"],
].map(([network, branch]) => ({ name: `${network}/${branch}`, network, branch }));

/** All names that a file of answers may hold. */
export const CANDIDATE_NAMES = CANDIDATES.map(({ name }) => name);

/** Those that the page holds. */
export function candidatesIn({ networks }: Manifest): Candidate[] {
  const held = new Map(networks.map(({ name, branches }) => [name, branches]));
  return CANDIDATES.filter(({ network, branch }) =>
    held.get(network)?.some(({ name }) => name === branch),
  );
}

export interface Duel {
  scene: LessonScene;
  left: Candidate;
  right: Candidate;
}

/**
 * Each pair on each scene, in an order and on sides that follow from the reader's number.
 *
 * A scene comes again only when each was shown, and until then no pair is shown more than another.
 */
export function duelsOf(
  candidates: readonly Candidate[],
  scenes: readonly LessonScene[],
  reader: string,
): Duel[] {
  const uniform = uniformNumbers(Number.parseInt(reader.slice(0, 8), 16));
  const pairs = candidates.flatMap((first, index) =>
    candidates.slice(index + 1).map((second) => [first, second] as const),
  );
  const ordered = shuffled(scenes, uniform);
  const rounds = shuffled(Array.from(pairs.keys()), uniform);
  return rounds.flatMap((round) =>
    shuffled(Array.from(ordered.entries()), uniform).map(([place, scene]) => {
      const [first, second] = pairs[(place + round) % pairs.length];
      const [left, right] = uniform() < 0.5 ? [first, second] : [second, first];
      return { scene, left, right };
    }),
  );
}
