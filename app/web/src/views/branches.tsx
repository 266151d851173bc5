/** Each branch: where it looks in both pictures, and what it answers to each. */

import { useMemo } from "preact/hooks";
import { mainPlace, paintMap, scaleOf } from "../engine/drawing";
import type { MapOfBranch } from "../engine/findings";
import { largestIndices, largestOf } from "../engine/numbers";
import type { Lab } from "../lab";
import type { InputKind } from "../manifest";
import { classOf, type Drawn, isUnchanged, type Shown } from "../shown";
import { mark, sentences, words } from "../text";
import { Bar, BarLegend, KINDS } from "./bars";
import { Drawing } from "./drawing";
import { MAP_COLOURS, ScaleBar } from "./scale";

/** Of the scale's end. */
const FAINT = 0.3;

export function Branches({ lab }: { lab: Lab }) {
  const { shown, state } = lab;
  // The camera gets answers alone.
  const hasMaps = !state.hide.includes("maps") && !lab.live;
  const hasAnswers = !state.hide.includes("answers");
  const scale = useMemo(() => scaleFor(shown), [shown.maps]);
  const kinds = kindsOf(shown);
  if (!hasMaps && !hasAnswers) return null;
  return (
    <section class="branches">
      <div class="section-head">
        <h2>{words.branchAnswers}</h2>
        {hasAnswers && kinds.length > 1 && <BarLegend />}
      </div>
      {shown.subject.network.branches.map(({ name, origin }, index) => (
        <article
          class={`branch ${hasMaps ? (kinds.length > 1 ? "board" : "board single") : ""}`}
          data-branch={index}
          key={name}
        >
          <h3>
            {name} <small>{words.origin(origin)}</small>
          </h3>
          {hasMaps &&
            kinds.map((kind) => (
              <BranchMap {...{ lab, kind, branch: name, end: scale.end }} key={kind} />
            ))}
          {hasAnswers && <Bars {...{ lab, branch: name }} />}
        </article>
      ))}
      {hasMaps && scale.largest > 0 && <Scale shown={shown} {...scale} />}
    </section>
  );
}

/** Without a change nothing is shown twice. */
function kindsOf(shown: Shown): readonly InputKind[] {
  return isUnchanged(shown) ? ["clean"] : KINDS;
}

/**
 * One scale for all maps, made for the clean ones: another attack must not recolour them.
 *
 * `largest` is of all maps, and may be beyond its end.
 */
function scaleFor({ maps }: Shown): { end: number; largest: number } {
  if (!maps) return { end: 0, largest: 0 };
  const [clean, perturbed] = KINDS.map((kind) => Object.values(maps[kind]));
  const { largest } = scaleOf([...clean, ...perturbed]);
  return { end: scaleOf(clean).end || scaleOf(perturbed).end, largest };
}

interface MapProps {
  lab: Lab;
  kind: InputKind;
  branch: string;
  end: number;
}

function BranchMap({ lab, kind, branch, end }: MapProps) {
  const { shown, pending } = lab;
  const { network } = shown.subject;
  const map = shown.maps?.[kind][branch] ?? null;
  const picture = shown[kind];
  const drawn: Drawn | null = useMemo(
    () => (map && typeof picture !== "string" ? paintMap(picture, map, end, network.size) : null),
    [map, picture, end, network],
  );
  const name = map ? network.classes[map.classIndex] : "";
  const place = map ? placeOf(map) : words.mapPending;
  return (
    <Drawing
      {...{ drawn, size: network.size, isPending: pending.maps }}
      alt={words.mapAlt(branch, words[kind], name, place)}
      caption={map ? words.mapFor(name) : words.mapPending}
    />
  );
}

/** Where a map lies, for those who do not see it. */
export function placeOf(map: MapOfBranch): string {
  const place = mainPlace(map);
  return place
    ? words.mapPlace(words.places[place.row][place.column], place.share)
    : words.emptyMap;
}

const written = (value: number) => String(Number(value.toPrecision(3)));

function Scale({ shown, end, largest }: { shown: Shown; end: number; largest: number }) {
  const { network, settings } = shown.subject;
  return (
    <p class="scale">
      {words.mapScale(settings.method, network.layer)}{" "}
      <ScaleBar colours={MAP_COLOURS} least="0" most={written(end)} />
      {largest > end && words.mapLargest(written(largest))}
      {sentences(mark("stop"), ...faintBranches(shown, end))}
    </p>
  );
}

/** A sentence for each branch whose maps hardly show on the scale of all. */
function faintBranches({ maps, subject }: Shown, end: number): string[] {
  if (!maps) return [];
  return subject.network.branches.flatMap(({ name }) => {
    const share = Math.max(...KINDS.map((kind) => largestOf(maps[kind][name].values))) / end;
    return share < FAINT ? words.faintMaps(name, share) : [];
  });
}

/** The classes worth a bar: the first two of each picture, the right one and the target. */
function classesOf(shown: Shown, branch: string): number[] {
  const { answers, subject } = shown;
  if (!answers) return [];
  const named = [classOf(subject.truth), subject.settings.target];
  const listed = [
    ...kindsOf(shown).flatMap((kind) => largestIndices(answers[kind][branch], 2)),
    ...named.flatMap((index) => index ?? []),
  ];
  return [...new Set(listed)];
}

function Bars({ lab, branch }: { lab: Lab; branch: string }) {
  const { shown, pending } = lab;
  const { answers, subject } = shown;
  if (!answers) return <div class="bars" />;
  const notes = (index: number) => [
    ...(index === subject.truth ? [`✓ ${words.rightAnswer}`] : []),
    ...(index === subject.settings.target ? [words.targetClass] : []),
  ];
  return (
    <ul class={pending.answers ? "bars pending" : "bars"} aria-label={branch}>
      {classesOf(shown, branch).map((index) => (
        <li key={index}>
          <span class="class">
            {subject.network.classes[index]} <small>{notes(index).join(mark("comma"))}</small>
          </span>
          {kindsOf(shown).map((kind) => (
            <Bar key={kind} kind={kind} share={answers[kind][branch][index]} />
          ))}
        </li>
      ))}
    </ul>
  );
}
