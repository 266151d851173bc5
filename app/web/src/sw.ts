/** The service worker of the split form: after the first visit the page opens offline. */

import type { Manifest } from "./manifest";

interface WorkerEvent extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface FetchEvent extends WorkerEvent {
  request: Request;
  respondWith(response: Promise<Response>): void;
}

const scope = self as unknown as EventTarget & { skipWaiting(): Promise<void> };
const CACHE = "advprop-lab";
const PAGE = "./";

/** Addresses of this host that the page names: scripts, styles and the manifest's assets. */
function addressesIn(html: string): string[] {
  const tags = [...html.matchAll(/<(?:script|link)\b[^>]*?\b(?:src|href)="([^"#]+)"/g)];
  const manifest = html.match(/id="lab-manifest"[^>]*>([\s\S]*?)<\/script>/)?.[1] ?? "{}";
  const assets = Object.values((JSON.parse(manifest) as Partial<Manifest>).assets ?? {});
  return [...tags.map((tag) => tag[1]), ...assets.flatMap((asset) => asset.url ?? [])];
}

/** Stores the page and all it needs, and forgets what an older page needed. */
async function store(page: Response): Promise<void> {
  const cache = await caches.open(CACHE);
  const needed = addressesIn(await page.clone().text()).map(
    (address) => new URL(address, location.href).href,
  );
  const stored = (await cache.keys()).map((request) => request.url);
  await cache.addAll(needed.filter((address) => !stored.includes(address)));
  await cache.put(PAGE, page);
  const kept = [...needed, new URL(PAGE, location.href).href];
  const outdated = stored.filter((address) => !kept.includes(address));
  await Promise.all(outdated.map((address) => cache.delete(address)));
}

async function openPage(event: FetchEvent): Promise<Response> {
  const stored = await (await caches.open(CACHE)).match(PAGE);
  try {
    const page = await fetch(event.request);
    if (page.ok) event.waitUntil(store(page.clone()));
    return page;
  } catch (error) {
    if (stored) return stored;
    throw error;
  }
}

async function openAsset(request: Request): Promise<Response> {
  return (await (await caches.open(CACHE)).match(request)) ?? fetch(request);
}

scope.addEventListener("install", (event) => {
  const stored = fetch(PAGE).then(store);
  (event as WorkerEvent).waitUntil(stored.then(() => scope.skipWaiting()));
});
scope.addEventListener("fetch", (event) => {
  const fetching = event as FetchEvent;
  const isPage = fetching.request.mode === "navigate";
  fetching.respondWith(isPage ? openPage(fetching) : openAsset(fetching.request));
});
