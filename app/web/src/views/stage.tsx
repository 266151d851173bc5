/** The clean picture, the perturbed one, the change between them, and what was measured. */

import { useMemo } from "preact/hooks";
import { amplification, paintChange } from "../engine/drawing";
import { measure } from "../engine/levels";
import { largestIndex } from "../engine/numbers";
import type { Lab } from "../lab";
import { download, pngOf } from "../pictures";
import { type Drawn, isUnchanged, type Shown, type Subject } from "../shown";
import { mark, sentences, words } from "../text";
import { attackOf } from "../verdict";
import { Drawing } from "./drawing";
import { Button } from "./fields";

export function Stage({ lab }: { lab: Lab }) {
  const { shown, pending } = lab;
  const { clean, perturbed, subject } = shown;
  const { size } = subject.network;
  const isPending = pending.answers;
  return (
    <section class="stage" aria-busy={isPending}>
      <Drawing
        {...{ size, isPending, drawn: clean }}
        alt={words.cleanAlt(subject.title)}
        caption={sentences(words.clean + mark("stop"), truthOf(subject))}
      />
      {isUnchanged(shown) ? (
        <Drawing {...{ size, isPending, drawn: null, alt: words.nothingChanged }} />
      ) : (
        <Drawing
          {...{ size, isPending, drawn: perturbed }}
          alt={words.perturbedAlt(subject.title, attackOf(shown))}
          caption={words.perturbed}
        />
      )}
    </section>
  );
}

function truthOf({ truth, network }: Subject): string {
  if (truth === null) return words.truthUnknown;
  return truth === "none" ? words.truthNone : words.truth(network.classes[truth]);
}

export function Change({ lab }: { lab: Lab }) {
  const { shown, pending, state } = lab;
  const { clean, perturbed, subject } = shown;
  const difference = useMemo(() => differenceOf(clean, perturbed), [clean, perturbed]);
  if (isUnchanged(shown)) return null;
  return (
    <section class="change">
      <ChangeDrawing {...{ size: subject.network.size, isPending: pending.answers, difference }} />
      <div class="measured">
        {difference && !state.hide.includes("measured") && (
          <Measurements shown={shown} difference={difference} />
        )}
        <SaveButton lab={lab} />
      </div>
    </section>
  );
}

type Difference = NonNullable<ReturnType<typeof differenceOf>>;

interface ChangeDrawingProps {
  size: number;
  isPending: boolean;
  difference: Difference | null;
}

/** The change made visible. */
export function ChangeDrawing({ size, isPending, difference }: ChangeDrawingProps) {
  const [alt, caption] = difference
    ? [
        words.changeAlt(difference.times, difference.linf),
        difference.linf > 0 ? words.amplified(difference.times) : words.noChange,
      ]
    : [words.change, words.change];
  return <Drawing {...{ size, isPending, alt, caption, drawn: difference?.change ?? null }} />;
}

export function differenceOf(clean: Drawn, perturbed: Drawn) {
  if (typeof clean === "string" || typeof perturbed === "string") return null;
  const measured = measure(perturbed, clean);
  const times = amplification(perturbed, clean);
  return { ...measured, times, change: paintChange(perturbed, clean, times) };
}

function Measurements({ shown, difference }: { shown: Shown; difference: Difference }) {
  const { linf, l2, lowest, highest } = difference;
  const wrong = wrongBranches(shown);
  return (
    <>
      <dl>
        {words.measured(linf, l2, lowest, highest).map(({ name, value, unit }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {value} <small>{unit}</small>
            </dd>
          </div>
        ))}
      </dl>
      <p>{words.eightBit}</p>
      {wrong.length > 0 && <p>{words.cleanWrong(wrong)}</p>}
    </>
  );
}

/** The branches that are wrong about the clean picture, where they could be right. */
function wrongBranches({ subject, answers }: Shown): string[] {
  const { truth, network } = subject;
  if (!answers || truth === null || truth === "none") return [];
  const names = network.branches.map(({ name }) => name);
  return names.filter((name) => largestIndex(answers.clean[name]) !== truth);
}

function SaveButton({ lab }: { lab: Lab }) {
  const { shown } = lab;
  const { perturbed, subject } = shown;
  const save = async () => {
    if (typeof perturbed === "string") return;
    const blob = await pngOf(perturbed, subject.network.size);
    download(blob, `${words.fileName(subject.title, subject.settings)}.png`);
  };
  return (
    <Button
      label={words.save}
      onClick={save}
      disabled={typeof perturbed === "string"}
      title={words.saveHint}
    />
  );
}
