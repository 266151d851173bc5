/** Objects with the outline of one class and the texture of another: who says what? */

import { useState } from "preact/hooks";
import type { Looked } from "../../engine/findings";
import { largestIndex } from "../../engine/numbers";
import type { LessonScene, Network } from "../../manifest";
import { readDataUrl } from "../../pictures";
import { words } from "../../text";
import { Drawing } from "../drawing";
import { Button } from "../fields";
import { useAsked, useLessonContext, useNetwork } from "../lessons/context";
import { MissingNetwork, Status } from "./status";

type Kind = "shape" | "texture" | "neither";
const KINDS: Kind[] = ["shape", "texture", "neither"];

interface Candidate {
  network: string;
  branch: string;
}

export function Conflicts({ names }: { names: readonly [string, string] }) {
  const [first, second] = [useNetwork(names[0]), useNetwork(names[1])];
  if (!first || !second) return <MissingNetwork name={first ? names[1] : names[0]} />;
  return <ConflictsOf networks={[first, second]} />;
}

function ConflictsOf({ networks }: { networks: readonly Network[] }) {
  const texts = words.lessons.conflicts;
  const { queue, material } = useLessonContext();
  const { conflicts, textures } = material;
  const [index, setIndex] = useState(0);
  /** By scene and candidate; what was asked stays. */
  const [seen, setSeen] = useState<Record<string, Kind>>({});
  const [isAll, setAll] = useState(false);
  const scene = conflicts[index];
  const classes = networks[0].classes;
  const candidates: Candidate[] = networks.flatMap(({ name, branches }) =>
    branches.map((branch) => ({ network: name, branch: branch.name })),
  );
  const textureClass = (each: LessonScene) => classes[textures.indexOf(each.texture)];
  const kindOf = (each: LessonScene, answer: string): Kind =>
    answer === each.shape ? "shape" : answer === textureClass(each) ? "texture" : "neither";
  const asked = useAsked(`${scene.name} ${isAll}`, scene.name, async (isWanted) => {
    const wanted = isAll ? conflicts : [scene];
    const found: Record<string, Kind> = {};
    const answers: string[] = [];
    for (const candidate of candidates) {
      for (const each of wanted) {
        const levels = await readDataUrl(each.png, networks[0].size);
        const look = { levels, shuffled: 0, seed: 0, classIndex: 0, method: "grad-cam" as const };
        const looked: Looked = await queue.look(
          candidate.network,
          { ...look, branch: candidate.branch },
          isWanted,
        );
        const answer = classes[largestIndex(looked.probabilities)];
        found[keyOf(each, candidate)] = kindOf(each, answer);
        if (each === scene) answers.push(answer);
      }
    }
    setSeen((old) => ({ ...old, ...found }));
    return { scene, answers };
  });
  const answers = asked.value?.scene === scene ? asked.value.answers : null;
  const total = conflicts.filter((each) => keyOf(each, candidates[0]) in seen).length;
  return (
    <div class="piece">
      <div class="piece-pictures beside">
        <Drawing
          {...{ size: networks[0].size, drawn: scene.png }}
          alt={texts.alt(scene.shape, scene.texture)}
          caption={texts.caption(scene.shape, scene.texture, textureClass(scene))}
        />
        <table class={asked.isPending ? "pending" : ""}>
          <caption>{texts.tally(total)}</caption>
          <thead>
            <tr>
              <th scope="col">{texts.network}</th>
              <th scope="col">{texts.here}</th>
              {KINDS.map((kind) => (
                <th key={kind} scope="col">
                  {texts.kinds[kind]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {candidates.map((candidate, place) => (
              <tr key={`${candidate.network} ${candidate.branch}`}>
                <th scope="row">{texts.candidates[place] ?? candidate.branch}</th>
                <td>{answers ? answers[place] : "…"}</td>
                {KINDS.map((kind) => (
                  <td key={kind}>
                    {conflicts.filter((each) => seen[keyOf(each, candidate)] === kind).length}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="buttons">
        <Button label={texts.next} onClick={() => setIndex((index + 1) % conflicts.length)} />
        <Button label={texts.all(conflicts.length)} disabled={isAll} onClick={() => setAll(true)} />
      </div>
      <Status asked={asked} />
    </div>
  );
}

const keyOf = (scene: LessonScene, { network, branch }: Candidate) =>
  `${scene.name} ${network} ${branch}`;
