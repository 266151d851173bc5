/** A tiny network is trained in the page: its settings, how it goes, and what becomes of it. */

import type { Manifest, Objective, TrainingPlan } from "../../manifest";
import { hashOf } from "../../route";
import { firstState, withNetwork, writeLink } from "../../state";
import { mark, words } from "../../text";
import { failureText } from "../../text/failures";
import { KINDS } from "../../training/statistics";
import { type Run, type Training, trainingOf } from "../../training/training";
import { Button, Choice, NumberField } from "../fields";
import { useChangesOf } from "../hooks";
import { Rich } from "../lessons/rich";
import { Warning } from "../warning";
import { LineChart } from "./chart";
import { Statistics } from "./statistics";

const LEVEL = 1 / 255;
const [MOST_LEVELS, MOST_SEED] = [16, 99];

/** Nothing in a page that cannot train. */
export function LiveTraining({ manifest }: { manifest: Manifest }) {
  const { training: plan } = manifest;
  return plan && <Panel {...{ manifest, plan }} />;
}

function Panel({ manifest, plan }: { manifest: Manifest; plan: TrainingPlan }) {
  const training = trainingOf(manifest, plan);
  useChangesOf(training);
  const texts = words.training;
  const { run } = training;
  return (
    <section class="training" aria-label={texts.title}>
      <h2>{texts.title}</h2>
      <p>{texts.about}</p>
      <Settings training={training} />
      <Buttons training={training} />
      {run && <OfWhichRun training={training} run={run} />}
      <div class={isOfOtherSettings(training) ? "training-results pending" : "training-results"}>
        <Standing training={training} />
        {run && run.measured.length > 0 && (
          <div class="training-charts">
            <AccuracyChart {...{ plan, run }} />
            <LossChart {...{ plan, run }} />
          </div>
        )}
        {run && run.progress.length > 0 && <Statistics {...{ plan, run }} />}
      </div>
    </section>
  );
}

/** Whether something else was chosen than what the results are of. */
function isOfOtherSettings({ run, settings }: Training): boolean {
  if (!run) return false;
  const { objective, epsilon, seed } = run.settings;
  return objective !== settings.objective || epsilon !== settings.epsilon || seed !== settings.seed;
}

/** Where the reader has chosen anew: what the results below are of. */
function OfWhichRun({ training, run }: { training: Training; run: Run }) {
  const texts = words.training;
  const { objective, epsilon, seed } = run.settings;
  return (
    <p role="status">
      {isOfOtherSettings(training) && <Rich text={texts.ofOtherRun(objective, epsilon, seed)} />}
    </p>
  );
}

function Settings({ training }: { training: Training }) {
  const texts = words.training;
  const { settings, stage } = training;
  const isBusy = stage.kind === "running" || stage.kind === "preparing";
  return (
    <fieldset class="plain training-settings" disabled={isBusy}>
      <Choice
        legend={texts.objective}
        name="objective"
        choices={Object.keys(training.plan.objectives) as Objective[]}
        label={(objective) => texts.objectives[objective]}
        value={settings.objective}
        onChoose={(objective) => training.choose({ objective })}
        hint={texts.objectiveAbout[settings.objective]}
      />
      <NumberField
        {...{ id: "training-epsilon", least: 0, most: MOST_LEVELS, step: 1 }}
        label={texts.epsilon}
        unit={texts.epsilonUnit}
        value={Math.round(settings.epsilon / LEVEL)}
        onChange={(levels) => training.choose({ epsilon: levels * LEVEL })}
        hint={texts.epsilonAbout[settings.objective]}
      />
      <NumberField
        {...{ id: "training-seed", least: 0, most: MOST_SEED, step: 1 }}
        label={texts.seed}
        value={settings.seed}
        onChange={(seed) => training.choose({ seed: Math.round(seed) })}
        hint={texts.seedAbout}
      />
    </fieldset>
  );
}

function Buttons({ training }: { training: Training }) {
  const texts = words.training;
  const { stage, run, plan } = training;
  const isRunning = stage.kind === "running";
  const isPaused = stage.kind === "paused";
  const isOld = isOfOtherSettings(training);
  const start = () => void training.start();
  return (
    <div class="buttons">
      {!run && <Button label={texts.start} class="primary" onClick={start} />}
      {isRunning && <Button label={texts.pause} onClick={() => training.pause()} />}
      {isPaused && (
        <Button
          label={texts.continue}
          class={isOld ? "" : "primary"}
          onClick={() => training.continue()}
        />
      )}
      {run && (
        <Button
          label={texts.startAgain}
          class={isOld ? "primary" : ""}
          onClick={start}
          disabled={stage.kind === "preparing"}
        />
      )}
      {(isPaused || stage.kind === "finished") && run?.tensors && (
        <Button label={texts.use} onClick={() => openInLab(training, run)} />
      )}
      <p class="hint">{run?.tensors ? texts.useAbout : texts.duration}</p>
      {run && (
        <progress
          max={plan.steps}
          value={training.step}
          aria-label={texts.step(training.step, plan.steps)}
        />
      )}
    </div>
  );
}

/** Follows a link to it, as Back then leads here again. */
function openInLab(training: Training, run: Run): void {
  const { objective, epsilon, seed } = run.settings;
  const network = training.takeNetwork(
    (number) => words.training.networkTitle(number, objective),
    words.training.networkAbout(objective, epsilon, training.step, seed),
  );
  if (!network) return;
  location.hash = hashOf(writeLink(withNetwork(firstState(training.manifest), network)));
  window.scrollTo(0, 0);
}

/** Where it stands, in words. */
function Standing({ training }: { training: Training }) {
  const texts = words.training;
  const { stage, run, plan } = training;
  const latest = run?.measured[run.measured.length - 1];
  if (stage.kind === "failed") {
    return <Warning text={failureText(stage.failure, stage.what)} />;
  }
  if (!run || !latest) {
    return <p class="standing">{stage.kind === "preparing" ? texts.preparing : texts.idle}</p>;
  }
  const standings = Object.entries(latest.accuracies).map(([branch, accuracy], index) => (
    <span key={branch}>
      <b data-branch={index}>{branch}</b>
      {mark("colon")}
      {texts.standing(accuracy.clean, accuracy.adversarial)}
      {mark("space")}
    </span>
  ));
  return (
    <p class="standing" role={stage.kind === "running" ? undefined : "status"}>
      {texts.step(training.step, plan.steps) + mark("stop") + mark("space")}
      {latest.step === 0 ? texts.started : standings}
    </p>
  );
}

function AccuracyChart({ plan, run }: { plan: TrainingPlan; run: Run }) {
  const texts = words.training;
  const branches = plan.objectives[run.settings.objective].branches;
  const lines = branches.flatMap((branch, index) =>
    KINDS.map((kind) => {
      const points = run.measured.map(
        ({ step, accuracies }) => [step, accuracies[branch][kind]] as const,
      );
      const last = points[points.length - 1][1];
      return {
        key: `${branch} ${kind}`,
        branch: index,
        isDashed: kind === "adversarial",
        points,
        label: texts.line(branch, texts[kind], texts.percent(last)),
      };
    }),
  );
  return (
    <LineChart
      title={texts.accuracy}
      valueName={texts.accuracyAxis}
      about={texts.accuracyAbout(plan.pictures.validation.length)}
      {...{ plan, lines, range: [0, 1], format: texts.percent }}
    />
  );
}

function LossChart({ plan, run }: { plan: TrainingPlan; run: Run }) {
  const texts = words.training;
  const branches = plan.objectives[run.settings.objective].branches;
  const kinds = run.progress[0]?.losses.length ?? 0;
  const lines = KINDS.slice(0, kinds).map((kind, index) => {
    const branch = Math.min(index, branches.length - 1);
    const points = run.progress.map(({ step, losses }) => [step, losses[index]] as const);
    return {
      key: kind,
      branch,
      isDashed: kind === "adversarial",
      points,
      label: texts.line(
        branches[branch],
        texts[kind],
        texts.lossValue(points[points.length - 1][1]),
      ),
    };
  });
  const highest = Math.max(2.5, ...lines.flatMap(({ points }) => points.map(([, loss]) => loss)));
  const top = Math.ceil(2 * highest) / 2;
  return (
    <LineChart
      title={texts.loss}
      valueName={texts.loss}
      about={texts.lossAbout}
      {...{ plan, lines, range: [0, top], format: texts.lossValue }}
    />
  );
}
