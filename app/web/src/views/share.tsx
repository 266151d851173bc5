/** The link to what is shown, and what it hides from those who open it. */

import { useState } from "preact/hooks";
import type { Lab } from "../lab";
import { isOwn, PARTS, type PagePart, writeLink } from "../state";
import { words } from "../text";

export function Share({ lab }: { lab: Lab }) {
  const [hide, setHide] = useState<PagePart[]>([]);
  const [isCopied, setCopied] = useState(false);
  const link = `${location.href.split("#")[0]}#${writeLink({ ...lab.state, hide })}`;
  const toggle = (part: PagePart) =>
    setHide(PARTS.filter((each) => (each === part) !== hide.includes(each)));
  const copy = async (field: HTMLInputElement | null) => {
    field?.select();
    // Pages without HTTPS have no clipboard, and a browser may refuse it: the field is selected.
    const isWritten = await navigator.clipboard?.writeText(link).then(
      () => true,
      () => false,
    );
    if (!isWritten && !document.execCommand("copy")) return;
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <details class="share">
      <summary>{words.share}</summary>
      <label class="field">
        {words.linkField}
        <input id="link" readOnly value={link} />
      </label>
      <button type="button" onClick={() => copy(document.querySelector("#link"))}>
        {isCopied ? words.copied : words.copyLink}
      </button>
      {isOwn(lab.state.picture) && <p class="hint">{words.ownPictureInLink}</p>}
      <fieldset class="parts">
        <legend>{words.hideParts}</legend>
        {PARTS.map((part) => (
          <label key={part}>
            <input type="checkbox" checked={hide.includes(part)} onChange={() => toggle(part)} />{" "}
            {words.parts[part]}
          </label>
        ))}
      </fieldset>
    </details>
  );
}
