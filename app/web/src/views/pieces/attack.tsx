/** A picture that is changed with one slider, and what branches of a network answer. */

import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { AttackKind, GalleryPicture, Network, Settings } from "../../manifest";
import type { Comparison } from "../../network-queue";
import { readDataUrl } from "../../pictures";
import { classOf } from "../../shown";
import { words } from "../../text";
import { BarLegend } from "../bars";
import { BranchChoice, Strength } from "../choices";
import { Drawing } from "../drawing";
import { type Asked, useAsked, useLessonContext } from "../lessons/context";
import { ChangeDrawing, differenceOf } from "../stage";
import { AnswerBars } from "./answers";
import { OnNetwork, Status } from "./status";

export interface AttackProps {
  network: string;
  attack: AttackKind;
  /** The branches that answer; all where none is named. */
  branches?: readonly string[];
  /** In 255ths, where the slider begins. */
  levels: number;
  mostLevels: number;
  /** Whether the reader chooses whose gradient is followed. */
  choosesBranch?: boolean;
}

const STEPS = 10;

export function settingsOf(attack: AttackKind, levels: number, attack_branch: string): Settings {
  return {
    ...{ attack, attack_branch, norm: "linf", steps: STEPS, method: "grad-cam", target: null },
    epsilon: levels / 255,
  };
}

/** Asks the network about a picture of its own, attacked as the settings say. */
export function useComparison(
  network: Network | null,
  picture: GalleryPicture | null,
  settings: Settings,
): Asked<Comparison> {
  const { queue } = useLessonContext();
  const subject = network && picture && `${network.name} ${picture.name}`;
  return useAsked(
    subject && `${subject} ${JSON.stringify(settings)}`,
    subject,
    async (isWanted) => {
      if (!network || !picture || !subject) throw new TypeError("no picture to ask about");
      const clean = await readDataUrl(picture.png, network.size);
      const job = { clean, settings, picture: subject, trueClass: classOf(picture.true_class) };
      return queue.compare(network.name, job, isWanted);
    },
  );
}

export function Attack(props: AttackProps) {
  return (
    <OnNetwork name={props.network}>
      {(network) => <AttackOf {...props} network={network} />}
    </OnNetwork>
  );
}

function AttackOf(props: Omit<AttackProps, "network"> & { network: Network }) {
  const { network, attack, levels, mostLevels, choosesBranch } = props;
  const names = network.branches.map(({ name }) => name);
  const shown = props.branches ?? names;
  const known = network.pictures.filter(({ true_class }) => typeof true_class === "number");
  const [picture, choose] = useState(known[0] ?? network.pictures[0]);
  const [strength, setStrength] = useState(levels);
  const [through, setThrough] = useState(names[0]);
  const asked = useComparison(network, picture, settingsOf(attack, strength, through));
  const { value, isPending } = asked;
  const isChanged = strength > 0;
  return (
    <div class="piece">
      <Pictures {...{ network, picture, comparison: value, isPending, attack }} />
      <div class="piece-controls">
        <Strength
          id={`strength-${attack}-${network.name}-${shown.length}`}
          {...{ levels: strength, most: mostLevels, onChange: setStrength }}
        />
        {choosesBranch && (
          <BranchChoice
            {...{ name: `through-${attack}`, branches: names, value: through }}
            onChoose={setThrough}
          />
        )}
        <Thumbnails {...{ pictures: known, chosen: picture, onChoose: choose }} />
      </div>
      <Status asked={asked} />
      {isChanged && <BarLegend />}
      <div class="piece-answers">
        {shown.map((branch) => (
          <AnswerBars
            key={branch}
            {...{ network, branch, comparison: value, isPending, isChanged }}
            {...(names.length > 1 && shown.length === 1 ? { title: words.lessons.network } : {})}
          />
        ))}
      </div>
    </div>
  );
}

interface PicturesProps {
  network: Network;
  picture: GalleryPicture;
  comparison: Comparison | null;
  isPending: boolean;
  attack: AttackKind;
}

interface CleanPictureProps {
  size: number;
  png: string;
  /** As a file names it. */
  title: string;
  caption?: ComponentChildren;
}

export function CleanPicture({ size, png, title, caption = words.clean }: CleanPictureProps) {
  return <Drawing {...{ size, drawn: png, alt: words.cleanAlt(title), caption }} />;
}

/** The clean picture, the changed one, and the change made visible. */
export function Pictures({ network, picture, comparison, isPending, attack }: PicturesProps) {
  const { size } = network;
  const change = useMemo(
    () => comparison && differenceOf(comparison.original, comparison.perturbed),
    [comparison],
  );
  return (
    <div class="piece-pictures">
      <CleanPicture {...{ ...picture, size }} />
      <Drawing
        {...{ size, isPending, drawn: comparison?.perturbed ?? null }}
        alt={words.perturbedAlt(picture.title, words.attackNames[attack])}
        caption={words.perturbed}
      />
      <ChangeDrawing {...{ size, isPending, difference: change }} />
    </div>
  );
}

interface ThumbnailsProps {
  pictures: readonly GalleryPicture[];
  chosen: GalleryPicture;
  onChoose: (picture: GalleryPicture) => void;
}

export function Thumbnails({ pictures, chosen, onChoose }: ThumbnailsProps) {
  return (
    <fieldset class="thumbnails" aria-label={words.choosePicture}>
      {pictures.map((picture) => (
        <button
          key={picture.name}
          type="button"
          class="thumbnail"
          aria-pressed={picture === chosen}
          aria-label={words.pictureTitle(picture.title)}
          onClick={() => onChoose(picture)}
        >
          <img src={picture.png} alt="" />
        </button>
      ))}
    </fieldset>
  );
}
