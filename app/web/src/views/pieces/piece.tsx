/** The live part of this name. */

import type { PieceName } from "../../lessons/plan";
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

export function Piece({ name }: { name: PieceName }) {
  const { manifest } = useLessonContext();
  switch (name) {
    case "attack-photo":
      return <Attack network={PHOTOS} attack="pgd" branches={MAIN} levels={2} mostLevels={8} />;
    case "noise-photo":
      return <Attack network={PHOTOS} attack="noise" branches={MAIN} levels={2} mostLevels={16} />;
    case "fgsm-photo":
      return <Attack network={PHOTOS} attack="fgsm" branches={MAIN} levels={2} mostLevels={8} />;
    case "two-branches":
      return <Attack network={ADVPROP} attack="pgd" levels={4} mostLevels={8} />;
    case "strongest-attack":
      return <Attack network={ADVPROP} attack="pgd" levels={4} mostLevels={8} choosesBranch />;
    case "eight-pixels":
      return <EightPixels />;
    case "digit":
      return <DigitPiece models={["natural"]} />;
    case "robust-digit":
      return <DigitPiece models={["natural", "robust"]} />;
    case "digit-errors":
      return <DigitErrors />;
    case "two-networks":
      return <TwoNetworks names={[VANILLA, ADVPROP]} />;
    case "running-means":
      return <RunningMeans />;
    case "live-training":
      return <LiveTraining manifest={manifest} />;
    case "algorithm":
      return <OnNetwork name={ADVPROP}>{(network) => <Algorithm network={network} />}</OnNetwork>;
    case "maps":
      return <OnNetwork name={PHOTOS}>{(network) => <Maps network={network} />}</OnNetwork>;
    case "map-methods":
      return <OnNetwork name={PHOTOS}>{(network) => <MapMethods network={network} />}</OnNetwork>;
    case "conflicts":
      return <Conflicts names={[VANILLA, ADVPROP]} />;
    case "shuffled-norms":
      return (
        <OnNetwork name={ADVPROP}>{(network) => <ShuffledNorms network={network} />}</OnNetwork>
      );
    case "random-labels":
      return <RandomLabels />;
    case "other-seeds":
      return <OtherSeeds />;
  }
}
