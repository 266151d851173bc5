/** Hands the answers on as a file, and forgets them. */

import { useState } from "preact/hooks";
import { download } from "../../pictures";
import { words } from "../../text";
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
        <button type="button" onClick={save}>
          {texts.save}
        </button>
        {isAsking ? (
          <>
            <button type="button" onClick={forget}>
              {texts.forgetSurely}
            </button>
            <button type="button" onClick={() => setAsking(false)}>
              {texts.keep}
            </button>
          </>
        ) : (
          <button type="button" onClick={() => setAsking(true)}>
            {texts.forget}
          </button>
        )}
      </div>
      <p role="status">{saved !== null && texts.saved(saved)}</p>
    </section>
  );
}
