/** AdvProp's training step, each of its parts done on a real picture. */

import { useState } from "preact/hooks";
import type { Network } from "../../manifest";
import { mark, number, words } from "../../text";
import { Drawing } from "../drawing";
import { Button } from "../fields";
import { Rich } from "../lessons/rich";
import { CleanPicture, settingsOf, useComparison } from "./attack";
import { Status } from "./status";

const LEVELS = 4;
const LAST = 5;

export function Algorithm({ network }: { network: Network }) {
  const { size, classes, pictures } = network;
  const picture = pictures[0];
  const asked = useComparison(network, picture, settingsOf("pgd", LEVELS, "aux"));
  const [step, setStep] = useState(0);
  const texts = words.lessons.algorithm;
  const { value, isPending } = asked;
  const rightClass = typeof picture.true_class === "number" ? picture.true_class : value?.label;
  const loss = (kind: "clean" | "answers", branch: string) =>
    value ? number(-Math.log(Math.max(value[kind][branch][value.label], 1e-12)), 3) : "…";
  const [clean, adversarial] = [loss("clean", "main"), loss("answers", "aux")];
  const right = rightClass === undefined ? "…" : classes[rightClass];
  return (
    <div class="piece step-by-step">
      <div class="piece-pictures pair">
        <CleanPicture
          {...{ ...picture, size }}
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
          {...{ size, isPending: isPending && step >= 1 }}
          drawn={step >= 1 ? (value?.perturbed ?? null) : null}
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
      {/* Above the parts: they grow, and the button stays where it was pressed. */}
      <div class="buttons">
        <Button label={texts.next} disabled={step >= LAST} onClick={() => setStep(step + 1)} />
        <Button label={texts.again} disabled={step === 0} onClick={() => setStep(0)} />
      </div>
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
      <Status asked={asked} />
    </div>
  );
}
