/** Builds a link that opens a lesson, or the lab as the teacher wants it. */

import { useState } from "preact/hooks";
import { LESSONS } from "../../lessons/plan";
import { networkNamed } from "../../manifest";
import { hashOf } from "../../route";
import { firstState, LARGEST_EPSILON, type State, withNetwork, writeLink } from "../../state";
import { words } from "../../text";
import { AttackChoice } from "../choices";
import { CheckBox, languageOptions, NumberField, optionsOf, Select } from "../fields";
import { useLessonContext } from "../lessons/context";
import { CopyField, HiddenParts, linkFor } from "../share";

export function LinkBuilder() {
  const { manifest } = useLessonContext();
  const texts = words.lessons.teacher;
  const [opens, setOpens] = useState("lesson=1");
  const [lab, setLab] = useState<State>(() => firstState(manifest));
  const [hidesDoors, setHidesDoors] = useState(true);
  const [code, setCode] = useState("");
  const asked = opens === "lab" ? writeLink(lab) : opens;
  const link = linkFor(hashOf(asked, code || null, opens !== "lab" && hidesDoors));
  return (
    <section class="link-builder">
      <h2>{texts.link}</h2>
      <p>{texts.linkAbout}</p>
      <Select label={texts.opens} value={opens} onChoose={setOpens}>
        {optionsOf([
          ...LESSONS.map(({ id, number }): [string, string] => [
            `lesson=${number}`,
            `${number}. ${words.lessons.lessons[id].title}`,
          ]),
          ["judge", words.lessons.judge.title],
          ["lessons", words.lessons.title],
          ["lab", words.lab],
        ])}
      </Select>
      {opens === "lab" ? (
        <LabFields lab={lab} onChange={setLab} />
      ) : (
        <CheckBox label={texts.hideDoors} isChecked={hidesDoors} onChange={setHidesDoors} />
      )}
      <Select label={words.language} value={code} onChoose={setCode}>
        <option value="">{texts.ownLanguage}</option>
        {languageOptions()}
      </Select>
      <CopyField id="teacher-link" label={texts.linkField} link={link} />
      <a href={link} target="_blank" rel="noreferrer">
        {words.hidePreview}
      </a>
      {location.protocol === "file:" && <p class="hint">{texts.fromDisk}</p>}
    </section>
  );
}

function LabFields({ lab, onChange }: { lab: State; onChange: (lab: State) => void }) {
  const { manifest } = useLessonContext();
  const network = networkNamed(manifest, lab.network);
  const { attack, epsilon } = lab.settings;
  const set = (settings: Partial<State["settings"]>) =>
    onChange({ ...lab, settings: { ...lab.settings, ...settings } });
  return (
    <div class="fields">
      <Select
        label={words.network}
        value={lab.network}
        onChoose={(name) => onChange(withNetwork(lab, networkNamed(manifest, name)))}
      >
        {optionsOf(manifest.networks.map(({ name, title }) => [name, title]))}
      </Select>
      <Select
        label={words.choosePicture}
        value={lab.picture}
        onChoose={(picture) => onChange({ ...lab, picture })}
      >
        {optionsOf(network.pictures.map(({ name, title }) => [name, words.pictureTitle(title)]))}
      </Select>
      <AttackChoice
        name="teacher-attack"
        value={attack}
        onChoose={(chosen) => set({ attack: chosen })}
      />
      <NumberField
        id="teacher-strength"
        label={words.strength}
        unit={words.strengthUnit.linf}
        value={Math.round(255 * epsilon)}
        least={0}
        most={Math.round(255 * LARGEST_EPSILON.linf)}
        step={1}
        onChange={(levels) => set({ epsilon: levels / 255 })}
      />
      <HiddenParts
        manifest={manifest}
        legend={words.hideTitle}
        hide={lab.hide}
        onChange={(hide) => onChange({ ...lab, hide })}
      />
    </div>
  );
}
