/** AdvProp's training step, each of its parts done on a real picture. */

import { useState } from "preact/hooks";
import { mark, number, words } from "../../text";
import { Drawing } from "../drawing";
import { useNetwork } from "../lessons/context";
import { Rich } from "../lessons/rich";
import { settingsOf, useComparison } from "./attack";
import { MissingNetwork, Status } from "./status";

const LEVELS = 4;
const LAST = 5;

export function Algorithm({ name }: { name: string }) {
  const network = useNetwork(name);
  const picture = network?.pictures[0] ?? null;
  const asked = useComparison(network, picture, settingsOf("pgd", LEVELS, "aux"));
  const [step, setStep] = useState(0);
  if (!network || !picture) return <MissingNetwork name={name} />;
  const texts = words.lessons.algorithm;
  const { value, isPending } = asked;
  const { size, classes } = network;
  const loss = (kind: "clean" | "answers", branch: string) =>
    value ? number(-Math.log(Math.max(value[kind][branch][value.label], 1e-12)), 3) : "…";
  const [clean, adversarial] = [loss("clean", "main"), loss("answers", "aux")];
  const right = value ? classes[value.label] : "…";
  return (
    <div class="piece">
      <ol class="steps">
        {texts.steps(right, clean, adversarial).map((text, index) => (
          <li
            key={texts.names[index]}
            class={index > step ? "later" : ""}
            aria-current={index === step && "step"}
          >
            <b>{texts.names[index]}</b>
            {mark("space")}
            {index <= step && (
              <span>
                <Rich text={text} />
              </span>
            )}
          </li>
        ))}
      </ol>
      <div class="piece-pictures pair">
        <Drawing
          {...{ size, drawn: picture.png, isPending: false }}
          alt={words.cleanAlt(picture.title)}
          caption={
            <>
              {words.clean}
              {step >= 2 && (
                <>
                  {" → "}
                  <b data-branch={0}>main</b> {texts.loss(clean)}
                </>
              )}
            </>
          }
        />
        <Drawing
          {...{ size, isPending, drawn: step >= 1 ? (value?.perturbed ?? null) : null }}
          alt={step >= 1 ? words.perturbedAlt(picture.title, texts.names[1]) : texts.notYet}
          caption={
            step >= 1 ? (
              <>
                {words.perturbed}
                {step >= 3 && (
                  <>
                    {" → "}
                    <b data-branch={1}>aux</b> {texts.loss(adversarial)}
                  </>
                )}
              </>
            ) : (
              texts.notYet
            )
          }
        />
      </div>
      <Status asked={asked} />
      <div class="buttons">
        <button type="button" disabled={step >= LAST} onClick={() => setStep(step + 1)}>
          {texts.next}
        </button>
        <button type="button" disabled={step === 0} onClick={() => setStep(0)}>
          {texts.again}
        </button>
      </div>
    </div>
  );
}
