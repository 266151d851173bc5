/** The page's end of the worker: opens networks in it, asks it, hands on what it says. */

import { DamagedAsset, readAsset, type Source } from "./engine/assets";
import type { Job, Look } from "./engine/findings";
import type { Manifest, Network } from "./manifest";
import type { Reply, Request } from "./messages";
import type { MissingFeature } from "./text/failures";

/** What this browser lacks to run a network; null where it lacks nothing. */
export function missingFeature(): MissingFeature | null {
  // A function that makes a vector of zeros: valid only where the browser knows vectors.
  const program = [
    0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253,
    15, 253, 98, 11,
  ];
  if (!globalThis.WebAssembly?.validate(new Uint8Array(program))) return "simd";
  return "DecompressionStream" in globalThis ? null : "decompression";
}

export function sourceOf(manifest: Manifest, name: string): Source {
  const asset = manifest.assets[name];
  if (!asset) throw new DamagedAsset(name);
  const place = document.querySelector(`script[data-asset="${CSS.escape(name)}"]`);
  const url = asset.url === null ? null : new URL(asset.url, document.baseURI).href;
  return { name, asset, url, packed: place?.textContent ?? null };
}

/** Resolves when all that the page holds can be read. */
export function pageIsParsed(): Promise<void> {
  if (document.readyState !== "loading") return Promise.resolve();
  return new Promise((resolve) =>
    document.addEventListener("DOMContentLoaded", () => resolve(), { once: true }),
  );
}

export async function startWorker(manifest: Manifest): Promise<Worker> {
  const source = sourceOf(manifest, "worker");
  const address =
    source.url ??
    URL.createObjectURL(new Blob([await readAsset(source)], { type: "text/javascript" }));
  return new Worker(address);
}

export class EngineClient {
  private constructor(
    readonly manifest: Manifest,
    readonly worker: Worker,
  ) {}

  static async start(manifest: Manifest, onReply: (reply: Reply) => void): Promise<EngineClient> {
    const worker = await startWorker(manifest);
    worker.onmessage = (event: MessageEvent<Reply>) => onReply(event.data);
    worker.onerror = (event) => {
      event.preventDefault();
      onReply({ kind: "failed", id: null, failure: "defect", what: event.message });
    };
    return new EngineClient(manifest, worker);
  }

  open(network: Network): void {
    this.#send({
      kind: "open",
      network: { ...network, pictures: [] },
      wasm: sourceOf(this.manifest, "wasm"),
      graph: sourceOf(this.manifest, network.graph),
      norms: sourceOf(this.manifest, network.norms),
      weights: network.weights ? sourceOf(this.manifest, network.weights) : null,
    });
  }

  compare(network: Network, job: Job): void {
    this.#send({ kind: "compare", network: network.name, job });
  }

  look(network: Network, id: number, look: Look): void {
    this.#send({ kind: "look", network: network.name, id, look });
  }

  /** Frees the memory of its networks. */
  end(): void {
    this.worker.terminate();
  }

  #send(request: Request): void {
    this.worker.postMessage(request);
  }
}
