/** Choosing a picture: the gallery, a file, the camera. */

import type { Camera } from "../camera";
import type { Lab } from "../lab";
import { words } from "../text";
import { Button, CheckBox, ClassPicker, FileButton } from "./fields";

export function Gallery({ lab, camera }: { lab: Lab; camera: Camera }) {
  const { network, state } = lab;
  const chosen = (name: string) => name === state.picture && !camera.isOn;
  const choose = (name: string) => () => {
    if (camera.isOn) camera.stop();
    lab.choosePicture(name);
  };
  return (
    <fieldset class="gallery">
      <legend>{words.choosePicture}</legend>
      <div class="thumbnails">
        {network.pictures.map(({ name, title, png }) => (
          <button
            {...{ key: name, type: "button", title: words.pictureTitle(title) }}
            class="thumbnail"
            aria-pressed={chosen(name)}
            onClick={choose(name)}
          >
            <img src={png} alt={words.pictureTitle(title)} />
          </button>
        ))}
        {lab.ownPictures.list().map(({ name, title, thumbnail }, index) => (
          <button
            {...{ key: name, type: "button", title }}
            class="thumbnail own"
            aria-pressed={chosen(name)}
            onClick={choose(name)}
          >
            <img src={thumbnail} alt={words.ownPicture(index + 1, title)} />
          </button>
        ))}
      </div>
      <div class="sources">
        <FileButton
          label={words.openPicture}
          accept="image/*"
          onChoose={([file]) => file && void lab.openPicture(file)}
        />
        <Button
          label={camera.isOn ? words.liveStop : words.camera}
          onClick={() => (camera.isOn ? camera.stop() : camera.start())}
        />
      </div>
      <p class="hint">{words.pictureHint}</p>
      {!camera.isOn && <AboutPicture lab={lab} />}
    </fieldset>
  );
}

/** How the picture was cut, and which answer is right where the page does not know it. */
function AboutPicture({ lab }: { lab: Lab }) {
  const { network, state } = lab;
  const own = lab.ownPictures.get(state.picture);
  const listed = network.pictures.find(({ name }) => name === state.picture);
  const isCut = own && own.width !== own.height;
  return (
    <>
      {isCut && <p class="hint">{words.cut(own.width, own.height, network.size)}</p>}
      {(listed?.true_class ?? null) === null && (
        <ClassPicker
          classes={network.classes}
          label={words.rightQuestion}
          others={{ "": words.rightUnsaid, none: words.rightNone }}
          value={state.right === null ? "" : String(state.right)}
          onChoose={(value) => {
            const isClass = value !== "" && value !== "none";
            lab.chooseRight(isClass ? Number(value) : value === "none" ? "none" : null);
          }}
        />
      )}
    </>
  );
}

export function Live({ camera, lab }: { lab: Lab; camera: Camera }) {
  if (!camera.isOn) return null;
  return (
    <section class="live" aria-label={words.live}>
      <strong>{words.live}</strong>
      <span class="rate">{words.liveRate(camera.rate)}</span>
      <CheckBox
        label={words.liveAttack}
        isChecked={camera.attacks}
        onChange={(attacks) => {
          camera.attacks = attacks;
          lab.changed();
        }}
      />
      <Button label={words.liveTake} onClick={() => camera.take()} />
      <Button label={words.liveStop} onClick={() => camera.stop()} />
      <p class="hint">{words.liveAbout}</p>
    </section>
  );
}
