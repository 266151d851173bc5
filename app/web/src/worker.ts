/** Runs the networks beside the page, so that the page never stalls. */

import { readAsset } from "./engine/assets";
import { Branches } from "./engine/branches";
import { Comparer } from "./engine/compare";
import { failureOf, textOf } from "./engine/failures";
import type { Job } from "./engine/findings";
import { openGraph } from "./engine/graph";
import type { Reply, Request } from "./messages";

const scope = self as unknown as {
  postMessage(reply: Reply): void;
  onmessage: ((event: MessageEvent<Request>) => void) | null;
};

class Superseded extends Error {}

let latestRequest = 0;
let comparer: Comparer | null = null;
let wasm: Uint8Array<ArrayBuffer> | null = null;

/** Lets messages in. Not a timer: browsers hold those back for four milliseconds. */
const tick = new MessageChannel();
const waiting: (() => void)[] = [];
tick.port1.onmessage = () => waiting.shift()?.();
function messagesAreIn(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    tick.port2.postMessage(null);
  });
}

async function open(request: Request & { kind: "open" }): Promise<void> {
  const { network } = request;
  const tell = (share: number) =>
    scope.postMessage({ kind: "opening", network: network.name, share });
  await comparer?.graph.release();
  comparer = null;
  tell(0.05);
  wasm ??= await readAsset(request.wasm);
  tell(0.35);
  const graph = await readAsset(request.graph);
  const norms = await readAsset(request.norms);
  tell(0.5);
  const opened = await openGraph(graph, network, wasm);
  const branches = new Branches(network, new Float32Array(norms.buffer));
  comparer = new Comparer(opened, branches, network, breathe);
  scope.postMessage({ kind: "opened", network: network.name });
}

let runningRequest = 0;
async function breathe(): Promise<void> {
  await messagesAreIn();
  if (runningRequest !== latestRequest) throw new Superseded();
}

async function compare(network: string, job: Job): Promise<void> {
  if (comparer?.network.name !== network) return;
  await comparer.compare(job, (part) => scope.postMessage({ kind: "part", id: job.id, part }));
}

async function handle(request: Request): Promise<void> {
  try {
    if (request.kind === "open") await open(request);
    else await compare(request.network, request.job);
  } catch (error) {
    if (error instanceof Superseded) return;
    const id = request.kind === "compare" ? request.job.id : null;
    scope.postMessage({ kind: "failed", id, failure: failureOf(error), what: textOf(error) });
  }
}

// One request at a time: the one that runs ends at its next step once a newer one has come.
let last = Promise.resolve();
scope.onmessage = ({ data }) => {
  const number = ++latestRequest;
  last = last.then(() => {
    if (data.kind !== "open" && number !== latestRequest) return;
    runningRequest = number;
    return handle(data);
  });
};
