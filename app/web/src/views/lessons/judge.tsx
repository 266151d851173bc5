/** Whose map would you trust? Pairs of maps without names, judged by a person. */

import { useMemo, useState } from "preact/hooks";
import type { Looked } from "../../engine/findings";
import type { Judgement } from "../../lessons/answers";
import { candidatesIn, type Duel, duelsOf } from "../../lessons/duels";
import { strengthsOf } from "../../lessons/preferences";
import { networkNamed } from "../../manifest";
import { readDataUrl } from "../../pictures";
import { hashOf } from "../../route";
import { words } from "../../text";
import { Button } from "../fields";
import { CleanPicture } from "../pieces/attack";
import { MapDrawing, MapScale } from "../pieces/maps";
import { MissingNetwork, Status } from "../pieces/status";
import { useAsked, useLessonContext, useProgress } from "./context";
import { Export } from "./export";
import { PageHead } from "./head";
import { Preferences } from "./preferences";

/** After so many the scores are shown. */
const ROUND = 12;
const METHOD = "saliency";

export function Judge() {
  const { manifest, material } = useLessonContext();
  const texts = words.lessons.judge;
  const progress = useProgress();
  const { judgements, reader } = progress.answers;
  const candidates = useMemo(() => candidatesIn(manifest), [manifest]);
  const duels = useMemo(
    () => duelsOf(candidates, material.scenes, reader),
    [candidates, material, reader],
  );
  const [isSeen, setSeen] = useState(false);
  const duel = duels[judgements.length];
  const missing = Math.max(ROUND - judgements.length, 0);
  const left = duels.length - judgements.length;
  return (
    <main class="lesson">
      <PageHead title={texts.title} about={texts.about} />
      {candidates.length < 2 ? (
        <MissingNetwork name="shapes-vanilla" />
      ) : (
        <>
          {duel ? (
            <DuelOf
              {...{ duel, number: judgements.length + 1 }}
              note={missing > 0 ? texts.stillToJudge(missing) : texts.enough(left)}
            />
          ) : (
            <p class="done">{texts.allJudged}</p>
          )}
          {missing === 0 && (
            <section>
              <h2>{texts.scores}</h2>
              {isSeen ? (
                <Scores judgements={judgements} names={candidates.map(({ name }) => name)} />
              ) : (
                <Button label={texts.showScores} class="primary" onClick={() => setSeen(true)} />
              )}
            </section>
          )}
        </>
      )}
      <Export />
      <a href={hashOf("lessons")}>{words.lessons.all}</a>
    </main>
  );
}

function Scores({ judgements, names }: { judgements: Judgement[]; names: string[] }) {
  // Of one person, each judgement stands for itself.
  const strengths = strengthsOf(
    names,
    judgements.map((judgement) => [judgement]),
  );
  return <Preferences strengths={strengths} about={words.lessons.judge.scoresOfOne} />;
}

interface DuelProps {
  duel: Duel;
  number: number;
  /** How many more are to be judged, where the reader's eyes are. */
  note: string;
}

function DuelOf({ duel, number, note }: DuelProps) {
  const { manifest, queue } = useLessonContext();
  const progress = useProgress();
  const texts = words.lessons.judge;
  const sides = [duel.left, duel.right];
  const pair = `${duel.scene.name} ${duel.left.name} ${duel.right.name}`;
  const asked = useAsked(pair, pair, async (isWanted) => {
    const looked: Looked[] = [];
    const levels = await readDataUrl(
      duel.scene.png,
      networkNamed(manifest, duel.left.network).size,
    );
    for (const { network, branch } of sides) {
      const classIndex = networkNamed(manifest, network).classes.indexOf(duel.scene.shape);
      const look = { levels, branch, classIndex, shuffled: 0, seed: 0, method: METHOD } as const;
      looked.push(await queue.look(network, look, isWanted));
    }
    return { levels, looked };
  });
  const { value } = asked;
  const judge = (preferred: Judgement["preferred"]) =>
    progress.judge({
      scene: duel.scene.name,
      left: duel.left.name,
      right: duel.right.name,
      preferred,
    });
  const { size } = networkNamed(manifest, duel.left.network);
  const title = words.lessons.scene(duel.scene.shape, duel.scene.texture);
  return (
    <section class="piece duel">
      <h2>{texts.pair(number)}</h2>
      <p class="asked">{texts.question(duel.scene.shape)}</p>
      <div class="piece-pictures compared">
        <CleanPicture {...{ size, png: duel.scene.png, title, caption: title }} />
        {sides.map(({ network }, index) => (
          <MapDrawing
            key={texts.sides[index]}
            network={networkNamed(manifest, network)}
            levels={value?.levels ?? null}
            looked={value?.looked[index] ?? null}
            title={texts.sides[index]}
            isPending={!value}
            isNameless
          />
        ))}
      </div>
      <MapScale />
      <Status asked={asked} />
      <div class="buttons verdicts">
        {(["left", "neither", "right"] as const).map((preferred) => (
          // Not disabled, which would take the keyboard's place away.
          <Button
            label={texts.preferred[preferred]}
            key={preferred}
            aria-disabled={!value}
            onClick={() => value && judge(preferred)}
          />
        ))}
      </div>
      <p class="hint" role="status">
        {note}
      </p>
    </section>
  );
}
