/** The link to what is shown, and one that hides parts from those who open it. */

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Lab } from "../lab";
import type { Manifest } from "../manifest";
import { hashOf } from "../route";
import { isOwn, PARTS, type PagePart, writeLink } from "../state";
import { words } from "../text";
import { Button, CheckBox } from "./fields";

function linkTo(lab: Lab, hide: PagePart[]): string {
  return linkFor(hashOf(writeLink({ ...lab.state, hide })));
}

/** The page's own address with another link. */
export function linkFor(hash: string): string {
  return location.href.split("#")[0] + hash;
}

export function Share({ lab }: { lab: Lab }) {
  return (
    <details class="share">
      <summary>{words.share}</summary>
      <CopyField id="link" label={words.linkField} link={linkTo(lab, [])} />
      {isOwn(lab.state.picture) && <p class="hint">{words.ownPictureInLink}</p>}
    </details>
  );
}

/** The parts that a page has: without lessons it has no doors, and not every page can train. */
function partsOf({ lessons, training }: Manifest): PagePart[] {
  const absent: PagePart[] = [];
  if (lessons === null) absent.push("doors");
  if (training === null) absent.push("training");
  return PARTS.filter((part) => !absent.includes(part));
}

export function HideParts({ lab }: { lab: Lab }) {
  const [hide, setHide] = useState<PagePart[]>(["controls"]);
  const link = linkTo(lab, hide);
  return (
    <details class="share">
      <summary>{words.hideTitle}</summary>
      <p class="hint">{words.hideAbout}</p>
      <HiddenParts
        manifest={lab.manifest}
        legend={<span class="spoken">{words.hideTitle}</span>}
        hide={hide}
        onChange={setHide}
      />
      <CopyField id="class-link" label={words.hideLinkField} link={link} />
      <a href={link} target="_blank" rel="noreferrer">
        {words.hidePreview}
      </a>
    </details>
  );
}

interface HiddenPartsProps {
  manifest: Manifest;
  legend: ComponentChildren;
  hide: readonly PagePart[];
  onChange: (hide: PagePart[]) => void;
}

/** Which parts of the page a link hides. */
export function HiddenParts({ manifest, legend, hide, onChange }: HiddenPartsProps) {
  return (
    <fieldset class="parts">
      <legend>{legend}</legend>
      {partsOf(manifest).map((part) => (
        <CheckBox
          key={part}
          label={words.parts[part]}
          isChecked={hide.includes(part)}
          onChange={() => onChange(PARTS.filter((each) => (each === part) !== hide.includes(each)))}
        />
      ))}
    </fieldset>
  );
}

export function CopyField({ id, label, link }: { id: string; label: string; link: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    const field = document.getElementById(id) as HTMLInputElement;
    field.select();
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
    <>
      <label class="field">
        {label}
        <input id={id} readOnly value={link} />
      </label>
      <Button label={isCopied ? words.copied : words.copyLink} onClick={copy} />
    </>
  );
}
