/** Builds a link that opens a lesson, or the lab as the teacher wants it. */

import { useState } from "preact/hooks";
import { LESSONS } from "../../lessons/plan";
import { networkNamed } from "../../manifest";
import { hashOf } from "../../route";
import {
  firstState,
  LARGEST_EPSILON,
  PARTS,
  type PagePart,
  type State,
  withNetwork,
  writeLink,
} from "../../state";
import { LANGUAGES, words } from "../../text";
import { AttackChoice } from "../choices";
import { NumberField } from "../fields";
import { useLessonContext } from "../lessons/context";
import { CopyField, linkFor, partsOf } from "../share";

export function LinkBuilder() {
  const { manifest } = useLessonContext();
  const texts = words.lessons.teacher;
  const [opens, setOpens] = useState("lesson=1");
  const [lab, setLab] = useState<State>(() => firstState(manifest));
  const [hidesDoors, setHidesDoors] = useState(true);
  const [code, setCode] = useState("");
  const asked = opens === "lab" ? writeLink(lab) : opens;
  const link = linkFor(hashOf(asked, code || null, opens !== "lab" && hidesDoors));
  const codes = Object.keys(LANGUAGES);
  return (
    <section class="link-builder">
      <h2>{texts.link}</h2>
      <p>{texts.linkAbout}</p>
      <label class="field">
        {texts.opens}
        <select value={opens} onChange={(event) => setOpens(event.currentTarget.value)}>
          {LESSONS.map(({ id, number }) => (
            <option key={id} value={`lesson=${number}`}>
              {`${number}. ${words.lessons.lessons[id].title}`}
            </option>
          ))}
          <option value="judge">{words.lessons.judge.title}</option>
          <option value="lessons">{words.lessons.title}</option>
          <option value="lab">{words.lab}</option>
        </select>
      </label>
      {opens === "lab" ? (
        <LabFields lab={lab} onChange={setLab} />
      ) : (
        <label>
          <input
            type="checkbox"
            checked={hidesDoors}
            onChange={(event) => setHidesDoors(event.currentTarget.checked)}
          />{" "}
          {texts.hideDoors}
        </label>
      )}
      {codes.length > 1 && (
        <label class="field">
          {words.language}
          <select value={code} onChange={(event) => setCode(event.currentTarget.value)}>
            <option value="">{texts.ownLanguage}</option>
            {codes.map((each) => (
              <option key={each} value={each} lang={each}>
                {LANGUAGES[each].name}
              </option>
            ))}
          </select>
        </label>
      )}
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
  const toggle = (part: PagePart) =>
    onChange({ ...lab, hide: PARTS.filter((each) => (each === part) !== lab.hide.includes(each)) });
  return (
    <div class="fields">
      <label class="field">
        {words.network}
        <select
          value={lab.network}
          onChange={(event) =>
            onChange(withNetwork(lab, networkNamed(manifest, event.currentTarget.value)))
          }
        >
          {manifest.networks.map(({ name, title }) => (
            <option key={name} value={name}>
              {title}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        {words.choosePicture}
        <select
          value={lab.picture}
          onChange={(event) => onChange({ ...lab, picture: event.currentTarget.value })}
        >
          {network.pictures.map(({ name, title }) => (
            <option key={name} value={name}>
              {words.pictureTitle(title)}
            </option>
          ))}
        </select>
      </label>
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
      <fieldset class="parts">
        <legend>{words.hideTitle}</legend>
        {partsOf(manifest).map((part) => (
          <label key={part}>
            <input
              type="checkbox"
              checked={lab.hide.includes(part)}
              onChange={() => toggle(part)}
            />{" "}
            {words.parts[part]}
          </label>
        ))}
      </fieldset>
    </div>
  );
}
