/** Runs the networks beside the page, so that the page never stalls. */

import { readAsset, type Source } from "./engine/assets";
import { Branches } from "./engine/branches";
import { Comparer } from "./engine/compare";
import { failureOf, textOf } from "./engine/failures";
import { openGraph } from "./engine/graph";
import type { Reply, Request } from "./messages";
import { isOfTraining, type TrainingReply, type TrainingRequest } from "./training/messages";
import { TrainingRun } from "./training/run";

const scope = self as unknown as {
  postMessage(reply: Reply | TrainingReply): void;
  onmessage: ((event: MessageEvent<Request | TrainingRequest>) => void) | null;
};

class Superseded extends Error {}

let latestRequest = 0;
/** Opened networks, the one that was asked last at the end. */
const comparers = new Map<string, Comparer>();
/** A lesson compares two networks; a phone has no memory for more. */
const MOST_OPEN = 2;
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
  const open = comparers.get(network.name);
  comparers.delete(network.name);
  for (const [name, { graph }] of [...comparers].slice(0, -(MOST_OPEN - 1))) {
    await graph.release();
    comparers.delete(name);
  }
  tell(0.05);
  comparers.set(network.name, open ?? (await opened(request, tell)));
  scope.postMessage({ kind: "opened", network: network.name });
}

async function opened(
  request: Request & { kind: "open" },
  tell: (share: number) => void,
): Promise<Comparer> {
  const { network } = request;
  wasm ??= await readAsset(request.wasm);
  tell(0.35);
  const file = await readAsset(request.graph);
  const norms = await readFloats(request.norms);
  const weights = request.weights && (await readFloats(request.weights));
  tell(0.5);
  const graph = await openGraph(file, network, wasm, weights);
  const branches = new Branches(network, norms);
  return new Comparer(graph, branches, network, breathe);
}

async function readFloats(source: Source): Promise<Float32Array> {
  return new Float32Array((await readAsset(source)).buffer);
}

let runningRequest = 0;
async function breathe(): Promise<void> {
  await messagesAreIn();
  if (runningRequest !== latestRequest) throw new Superseded();
}

async function handle(request: Request): Promise<void> {
  try {
    if (request.kind === "open") return await open(request);
    const comparer = comparers.get(request.network);
    if (!comparer) return;
    if (request.kind === "compare") {
      const { job } = request;
      await comparer.compare(job, (part) => scope.postMessage({ kind: "part", id: job.id, part }));
    } else {
      const looked = await comparer.look(request.look);
      scope.postMessage({ kind: "looked", id: request.id, looked });
    }
  } catch (error) {
    if (error instanceof Superseded) return;
    const failure = failureOf(error);
    scope.postMessage({ kind: "failed", id: idOf(request), failure, what: textOf(error) });
  }
}

function idOf(request: Request): number | null {
  if (request.kind === "open") return null;
  return request.kind === "compare" ? request.job.id : request.id;
}

// One request at a time: the one that runs ends at its next step once a newer one has come.
let last = Promise.resolve();
const training = new TrainingRun(messagesAreIn, (reply) => scope.postMessage(reply));
scope.onmessage = ({ data }) => {
  if (isOfTraining(data)) return training.hear(data);
  const number = ++latestRequest;
  last = last.then(() => {
    if (data.kind !== "open" && number !== latestRequest) return;
    runningRequest = number;
    return handle(data);
  });
};
