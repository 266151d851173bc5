/** Where the page starts: paints the first view, then waits for the assets below it. */

import { render } from "preact";
import { Camera } from "./camera";
import { Lab } from "./lab";
import { type Manifest, readManifest } from "./manifest";
import { words } from "./text";
import { App } from "./views/app";

const container = document.getElementById("lab") as HTMLElement;
container.replaceChildren(); // what is read where this script never runs

/** The split form opens offline after the first visit. */
function registerServiceWorker(manifest: Manifest): void {
  const isSplit = Object.values(manifest.assets).some((asset) => asset.url !== null);
  if (!isSplit || !isSecureContext || !("serviceWorker" in navigator)) return;
  // Where storage is refused the page works as before, with the network.
  navigator.serviceWorker.register("sw.js").catch((error: unknown) => console.warn(error));
}

function show(manifest: Manifest): void {
  const lab = new Lab(manifest);
  render(<App lab={lab} camera={new Camera(lab)} />, container);
  const start = () => {
    void lab.start();
    registerServiceWorker(manifest);
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
}

const manifest = readManifest(document);
if (manifest) show(manifest);
else render(<p>{words.damagedPage}</p>, container);
