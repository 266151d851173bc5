/** The live parts of lessons, by name. */

import type { ComponentChildren } from "preact";
import type { Network } from "../../manifest";
import { useLessonContext } from "../lessons/context";
import { LiveTraining } from "../training/live-training";
import { Algorithm } from "./algorithm";
import { Attack } from "./attack";
import { OtherSeeds, RandomLabels } from "./chance";
import { Conflicts } from "./conflicts";
import { DigitErrors, DigitPiece } from "./digit";
import { EightPixels } from "./eight-pixels";
import { MapMethods, Maps, ShuffledNorms } from "./maps";
import { TwoNetworks } from "./networks";
import { RunningMeans } from "./running-means";
import { OnNetwork } from "./status";

const PHOTOS = "imagenet-lite0";
const VANILLA = "shapes-vanilla";
const ADVPROP = "shapes-advprop";
const MAIN = ["main"];

/** By the name that the plan of the lessons has for it. */
const PIECES = {
  "attack-photo": () => (
    <Attack network={PHOTOS} attack="pgd" branches={MAIN} levels={2} mostLevels={8} />
  ),
  "noise-photo": () => (
    <Attack network={PHOTOS} attack="noise" branches={MAIN} levels={2} mostLevels={16} />
  ),
  "fgsm-photo": () => (
    <Attack network={PHOTOS} attack="fgsm" branches={MAIN} levels={2} mostLevels={8} />
  ),
  "two-branches": () => <Attack network={ADVPROP} attack="pgd" levels={4} mostLevels={8} />,
  "strongest-attack": () => (
    <Attack network={ADVPROP} attack="pgd" levels={4} mostLevels={8} choosesBranch />
  ),
  "eight-pixels": () => <EightPixels />,
  digit: () => <DigitPiece models={["natural"]} />,
  "robust-digit": () => <DigitPiece models={["natural", "robust"]} />,
  "digit-errors": () => <DigitErrors />,
  "two-networks": () => <TwoNetworks names={[VANILLA, ADVPROP]} />,
  "running-means": () => <RunningMeans />,
  "live-training": () => <TrainHere />,
  algorithm: () => onNetwork(ADVPROP, Algorithm),
  maps: () => onNetwork(PHOTOS, Maps),
  "map-methods": () => onNetwork(PHOTOS, MapMethods),
  conflicts: () => <Conflicts names={[VANILLA, ADVPROP]} />,
  "shuffled-norms": () => onNetwork(ADVPROP, ShuffledNorms),
  "random-labels": () => <RandomLabels />,
  "other-seeds": () => <OtherSeeds />,
};

export type PieceName = keyof typeof PIECES;

export function Piece({ name }: { name: PieceName }) {
  return PIECES[name]();
}

function onNetwork(name: string, Part: (props: { network: Network }) => ComponentChildren) {
  return <OnNetwork name={name}>{(network) => <Part network={network} />}</OnNetwork>;
}

function TrainHere() {
  return <LiveTraining manifest={useLessonContext().manifest} />;
}
