/** Where the page starts: paints the first view, then waits for the assets below it. */

import { render } from "preact";
import { Camera } from "./camera";
import { Lab } from "./lab";
import { readManifest } from "./manifest";
import { App } from "./views/app";

const manifest = readManifest(document);
const lab = new Lab(manifest);
const camera = new Camera(lab);
render(<App lab={lab} camera={camera} />, document.getElementById("lab") as HTMLElement);

/** The split form opens offline after the first visit. */
function registerServiceWorker(): void {
  const isSplit = Object.values(manifest.assets).some((asset) => asset.url !== null);
  if (!isSplit || !isSecureContext || !("serviceWorker" in navigator)) return;
  // Where storage is refused the page works as before, with the network.
  navigator.serviceWorker.register("sw.js").catch((error: unknown) => console.warn(error));
}

function start(): void {
  void lab.start();
  registerServiceWorker();
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
else start();
