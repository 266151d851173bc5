/** A graph of training as a function of named arrays. */

import * as ort from "onnxruntime-web/wasm";
import { openSession } from "../engine/graph";

export interface Values {
  data: Float32Array;
  shape: readonly number[];
}

/** Inputs that the graph does not use are left out. */
export type Run = (inputs: Record<string, Values>) => Promise<Record<string, Float32Array>>;

/** @param wasm As for openSession. */
export async function openRun(
  file: Uint8Array,
  wasm: Uint8Array<ArrayBuffer> | null,
): Promise<Run> {
  const session = await openSession(file, wasm);
  return async (inputs) => {
    const feeds = session.inputNames.map((name) => {
      const { data, shape } = inputs[name];
      return [name, new ort.Tensor("float32", data, shape)] as const;
    });
    const outputs = await session.run(Object.fromEntries(feeds));
    return Object.fromEntries(
      session.outputNames.map((name) => [name, outputs[name].data as Float32Array]),
    );
  };
}
