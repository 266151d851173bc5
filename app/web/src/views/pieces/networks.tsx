/** Two networks under the same attack, each through itself. */

import { useState } from "preact/hooks";
import { words } from "../../text";
import { BarLegend } from "../bars";
import { Strength } from "../choices";
import { Drawing } from "../drawing";
import { useNetwork } from "../lessons/context";
import { AnswerBars } from "./answers";
import { CleanPicture, settingsOf, Thumbnails, useComparison } from "./attack";
import { MissingNetwork, Status } from "./status";

const MOST = 8;
const FIRST = 2;

export function TwoNetworks({ names }: { names: readonly [string, string] }) {
  const texts = words.lessons.twoNetworks;
  const networks = [useNetwork(names[0]), useNetwork(names[1])];
  const pictures = networks[0]?.pictures ?? [];
  const [picture, choose] = useState(pictures[0] ?? null);
  const [levels, setLevels] = useState(FIRST);
  const settings = settingsOf("pgd", levels, "main");
  const asked = [
    useComparison(networks[0], picture, settings),
    useComparison(networks[1], picture, settings),
  ];
  const missing = names.find((_, index) => networks[index] === null);
  if (missing !== undefined || !picture) return <MissingNetwork name={missing ?? names[0]} />;
  return (
    <div class="piece">
      <div class="piece-pictures compared">
        <CleanPicture {...{ ...picture, size: networks[0]?.size ?? 1 }} />
        {networks.map((network, index) => (
          <Drawing
            key={names[index]}
            {...{ size: network?.size ?? 1, isPending: asked[index].isPending }}
            drawn={asked[index].value?.perturbed ?? null}
            alt={words.perturbedAlt(picture.title, texts.against[index])}
            caption={texts.against[index]}
          />
        ))}
      </div>
      <div class="piece-controls">
        <Strength id="two-networks-strength" {...{ levels, most: MOST, onChange: setLevels }} />
        <Thumbnails {...{ pictures, chosen: picture, onChoose: choose }} />
      </div>
      <Status asked={asked[0].isPending ? asked[0] : asked[1]} />
      {levels > 0 && <BarLegend />}
      <div class="piece-answers">
        {networks.map(
          (network, index) =>
            network && (
              <AnswerBars
                key={network.name}
                {...{ network, branch: "main", title: texts.titles[index] }}
                comparison={asked[index].value}
                isPending={asked[index].isPending}
                isChanged={levels > 0}
              />
            ),
        )}
      </div>
    </div>
  );
}
