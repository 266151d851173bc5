/** Where branches look: maps of a photo, two methods beside each other, maps of shuffled layers. */

import { useMemo, useState } from "preact/hooks";
import { isFaint, paintMap, scaleOf, spread } from "../../engine/drawing";
import type { Look, Looked } from "../../engine/findings";
import type { Levels } from "../../engine/levels";
import { largestIndex } from "../../engine/numbers";
import { rankCorrelation } from "../../lessons/digits";
import type { GalleryPicture, MapMethod, Network } from "../../manifest";
import { readDataUrl } from "../../pictures";
import { METHODS } from "../../state";
import { number, percent, sentences, words } from "../../text";
import { placeOf } from "../branches";
import { MethodChoice } from "../choices";
import { Drawing } from "../drawing";
import { NumberField } from "../fields";
import { type Asked, useAsked, useLessonContext } from "../lessons/context";
import { Rich } from "../lessons/rich";
import { MAP_COLOURS, ScaleBar } from "../scale";
import { CleanPicture, Thumbnails } from "./attack";
import { Status } from "./status";

/** Of a picture: its levels, and an answer and a map for each look. */
export interface Looks {
  levels: Levels;
  looked: Looked[];
}

export function useLooks(
  network: Network | null,
  png: string,
  looks: readonly Omit<Look, "levels">[],
): Asked<Looks> {
  const { queue } = useLessonContext();
  const subject = network && `${network.name} ${png.length} ${png.slice(-40)}`;
  return useAsked(subject && `${subject} ${JSON.stringify(looks)}`, subject, async (isWanted) => {
    if (!network) throw new TypeError("no network to ask");
    const levels = await readDataUrl(png, network.size);
    const looked: Looked[] = [];
    for (const look of looks) {
      looked.push(await queue.look(network.name, { ...look, levels }, isWanted));
    }
    return { levels, looked };
  });
}

const plainLook = (branch: string, method: MapMethod): Omit<Look, "levels"> => ({
  ...{ branch, method, shuffled: 0, seed: 0, classIndex: null },
});

interface MapProps {
  network: Network;
  levels: Levels | null;
  looked: Looked | null;
  /** Of the colour scale; by default its own. */
  end?: number;
  title: string;
  isPending: boolean;
  /** Whether the answer is left out: it is said elsewhere, or would tell whose map it is. */
  isNameless?: boolean;
}

export function MapDrawing(props: MapProps) {
  const { network, levels, looked, end, title, isPending, isNameless } = props;
  const { size, classes } = network;
  const drawn = useMemo(
    () => levels && looked && paintMap(levels, looked.map, end ?? scaleOf([looked.map]).end, size),
    [levels, looked, end, size],
  );
  const answer = looked && largestIndex(looked.probabilities);
  return (
    <Drawing
      {...{ drawn, size, isPending }}
      alt={looked ? words.lessons.mapAlt(title, placeOf(looked.map)) : title}
      caption={
        <>
          <Rich text={`**${title}**`} />
          {looked && answer !== null && !isNameless && (
            <span class="answer">
              {words.lessons.answer(classes[answer], looked.probabilities[answer])}
            </span>
          )}
        </>
      }
    />
  );
}

interface PictureAndMapsProps {
  network: Network;
  png: string;
  /** Of the picture. */
  title: string;
  asked: Asked<Looks>;
  mapTitles: readonly string[];
  /** Whether there are two maps, one on each side of the picture. */
  isPair?: boolean;
  end?: number;
  isNameless?: boolean;
}

/** A picture and the maps that were asked of it. */
function PictureAndMaps(props: PictureAndMapsProps) {
  const { network, png, title, asked, mapTitles, isPair, ...ofMaps } = props;
  const { value, isPending } = asked;
  return (
    <div class={isPair ? "piece-pictures compared" : "piece-pictures"}>
      <CleanPicture {...{ size: network.size, png, title, caption: words.pictureTitle(title) }} />
      {mapTitles.map((mapTitle, index) => (
        <MapDrawing
          key={index}
          {...{ network, isPending, title: mapTitle, levels: value?.levels ?? null, ...ofMaps }}
          looked={value?.looked[index] ?? null}
        />
      ))}
    </div>
  );
}

/** What the colours of maps stand for; by default each map has a scale of its own. */
export function MapScale({ isShared }: { isShared?: boolean }) {
  const texts = words.lessons.mapScale;
  return (
    <p class="scale hint">
      <ScaleBar colours={MAP_COLOURS} least={texts.least} most={texts.most} />
      <span>{isShared ? texts.shared : texts.own}</span>
    </p>
  );
}

/** Each branch's own answer, mapped on one scale. */
export function Maps({ network }: { network: Network }) {
  const [picture, choose] = useState<GalleryPicture>(network.pictures[1] ?? network.pictures[0]);
  const [method, setMethod] = useState<MapMethod>("grad-cam");
  const names = network.branches.map((branch) => branch.name);
  const asked = useLooks(
    network,
    picture.png,
    names.map((branch) => plainLook(branch, method)),
  );
  const { value } = asked;
  const maps = value?.looked.map(({ map }) => map) ?? [];
  const { end } = scaleOf(maps);
  const faint = names.filter((_, index) => maps[index] && isFaint(maps[index], end));
  return (
    <div class="piece">
      <PictureAndMaps
        {...{ network, asked, end, png: picture.png, title: picture.title }}
        mapTitles={names}
      />
      <MapScale isShared />
      <div class="piece-controls">
        <MethodChoice name="lesson-method" value={method} onChoose={setMethod} />
        <Thumbnails pictures={network.pictures} chosen={picture} onChoose={choose} />
      </div>
      <Status asked={asked} />
      <p class="says" role="status">
        {faint.length > 0 && words.lessons.faint(faint)}
      </p>
    </div>
  );
}

/** One branch, one class, two methods. */
export function MapMethods({ network }: { network: Network }) {
  const [picture, choose] = useState<GalleryPicture>(network.pictures[0]);
  const branch = network.branches[0].name;
  const asked = useLooks(
    network,
    picture.png,
    METHODS.map((method) => plainLook(branch, method)),
  );
  const { value } = asked;
  return (
    <div class="piece">
      <PictureAndMaps
        {...{ network, asked, png: picture.png, title: picture.title }}
        mapTitles={METHODS.map((method) => words.methodNames[method])}
        isPair
        isNameless
      />
      <MapScale />
      <div class="piece-controls">
        <Thumbnails pictures={network.pictures} chosen={picture} onChoose={choose} />
      </div>
      <Status asked={asked} />
      <p class="says" role="status">
        {value
          ? sentences(
              explained(branch, network, value.looked[0]),
              words.lessons.agreement(number(agreement(value, network.size))),
            )
          : ""}
      </p>
    </div>
  );
}

/** Whose answer both maps explain. */
function explained(branch: string, { classes }: Network, { probabilities }: Looked): string {
  const answer = largestIndex(probabilities);
  return words.lessons.explained(branch, classes[answer], probabilities[answer]);
}

function agreement({ looked }: Looks, size: number): number {
  const [first, second] = looked.map(({ map }) => spread(map, size));
  return rankCorrelation(first, second);
}

const SEED = 1;

/** What is left of a map when norm layers are shuffled, the last first. */
export function ShuffledNorms({ network }: { network: Network }) {
  const { scenes } = useLessonContext().material;
  const [shuffled, setShuffled] = useState(0);
  const [method, setMethod] = useState<MapMethod>("saliency");
  const scene = scenes[0];
  const branch = network.branches[0].name;
  const classIndex = network.classes.indexOf(scene.shape);
  const asked = useLooks(network, scene.png, [
    { branch, method, classIndex, seed: SEED, shuffled: 0 },
    { branch, method, classIndex, seed: SEED, shuffled },
  ]);
  const { value } = asked;
  const texts = words.lessons.shuffled;
  return (
    <div class="piece">
      <PictureAndMaps
        {...{ network, asked, png: scene.png }}
        title={words.lessons.scene(scene.shape, scene.texture)}
        mapTitles={[texts.whole, texts.broken(shuffled)]}
        isPair
      />
      <MapScale />
      <div class="piece-controls">
        <NumberField
          id="shuffled-layers"
          label={texts.layers}
          value={shuffled}
          least={0}
          most={network.norm_layers.length}
          step={1}
          onChange={setShuffled}
          hint={texts.about}
        />
        <MethodChoice name="shuffled-method" value={method} onChoose={setMethod} />
      </div>
      <Status asked={asked} />
      <p class="says" role="status">
        {value
          ? texts.says(
              percent(value.looked[1].probabilities[classIndex]),
              scene.shape,
              number(agreement(value, network.size)),
            )
          : ""}
      </p>
    </div>
  );
}
