/** Hands the answers on as a file, and forgets them. */

import { useState } from "preact/hooks";
import { download } from "../../pictures";
import { words } from "../../text";
import { Button } from "../fields";
import { Warning } from "../warning";
import { useProgress } from "./context";

export function Export() {
  const progress = useProgress();
  const [isAsking, setAsking] = useState(false);
  /** The file that was handed to the browser. */
  const [saved, setSaved] = useState<string | null>(null);
  const texts = words.lessons.answers;
  const save = () => {
    const text = `${JSON.stringify(progress.answers, null, 1)}\n`;
    const name = `${texts.fileName}-${progress.answers.reader.slice(0, 6)}.json`;
    download(new Blob([text], { type: "application/json" }), name);
    setSaved(name);
  };
  const forget = () => {
    progress.forget();
    setAsking(false);
    setSaved(null);
  };
  return (
    <section class="answers">
      <h2>{texts.title}</h2>
      <p class="hint">{texts.about}</p>
      {!progress.isKept && <Warning text={texts.notKept} />}
      <div class="buttons">
        <Button label={texts.save} onClick={save} />
        {isAsking ? (
          <>
            <Button label={texts.forgetSurely} onClick={forget} />
            <Button label={texts.keep} onClick={() => setAsking(false)} />
          </>
        ) : (
          <Button label={texts.forget} onClick={() => setAsking(true)} />
        )}
      </div>
      <p role="status">{saved !== null && texts.saved(saved)}</p>
    </section>
  );
}
