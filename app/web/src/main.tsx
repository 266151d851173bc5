/** Where the page starts: paints the first view, then waits for the assets below it. */

import { render } from "preact";
import { pageIsParsed } from "./engine-client";
import type { Lab } from "./lab";
import { type Manifest, readManifest } from "./manifest";
import { words } from "./text";
import { Site } from "./views/site";

const container = document.getElementById("lab") as HTMLElement;
container.replaceChildren(); // what is read where this script never runs

/** The split form opens offline after the first visit. */
async function registerServiceWorker(manifest: Manifest): Promise<void> {
  const isSplit = Object.values(manifest.assets).some((asset) => asset.url !== null);
  if (!isSplit || !isSecureContext || !("serviceWorker" in navigator)) return;
  await pageIsParsed();
  // Where storage is refused the page works as before, with the network.
  navigator.serviceWorker.register("sw.js").catch((error: unknown) => console.warn(error));
}

async function start(lab: Lab): Promise<void> {
  await pageIsParsed();
  await lab.start();
}

const manifest = readManifest(document);
if (manifest) {
  render(<Site manifest={manifest} onLab={(lab) => void start(lab)} />, container);
  void registerServiceWorker(manifest);
} else render(<p>{words.damagedPage}</p>, container);
