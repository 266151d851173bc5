/** The network as one function: pixels and a branch's norm layers to logits, gradient and CAM. */

import * as ort from "onnxruntime-web/wasm";
import type { Network } from "../manifest";

export interface Outputs {
  /** (classes,). */
  logits: Float32Array;
  /** (3, size, size), for the pixels: of the attack's loss or of the class's logit. */
  gradient: Float32Array;
  /** (rows, columns) of the network's cells; of the class's logit. */
  cam: Float32Array;
}

export interface Graph {
  /**
   * @param norm (2, channels) scale and shift of a branch's norm layers.
   * @param attacks Whether the gradient is of the attack's loss for the class, not of its logit.
   */
  run(
    pixels: Float32Array,
    norm: Float32Array,
    classIndex: number,
    attacks: boolean,
  ): Promise<Outputs>;
  release(): Promise<void>;
}

/** @param wasm The bytes of onnxruntime-web's own program; null where it finds them itself. */
export function openSession(
  file: Uint8Array,
  wasm: Uint8Array<ArrayBuffer> | null,
): Promise<ort.InferenceSession> {
  ort.env.wasm.numThreads = 1;
  if (wasm) ort.env.wasm.wasmBinary = wasm.buffer;
  return ort.InferenceSession.create(file, { executionProviders: ["wasm"] });
}

/**
 * @param wasm As for openSession.
 * @param weights Of a network whose graph takes them; null where they lie in the graph.
 */
export async function openGraph(
  file: Uint8Array,
  network: Network,
  wasm: Uint8Array<ArrayBuffer> | null,
  weights: Float32Array | null = null,
): Promise<Graph> {
  const session = await openSession(file, wasm);
  const { size, channels, classes } = network;
  return {
    async run(pixels, norm, classIndex, attacks) {
      const oneHot = new Float32Array(classes.length);
      oneHot[classIndex] = 1;
      const outputs = await session.run({
        pixels: new ort.Tensor("float32", pixels, [1, 3, size, size]),
        class_one_hot: new ort.Tensor("float32", oneHot, [1, classes.length]),
        attacks: new ort.Tensor("float32", [attacks ? 1 : 0], [1]),
        norm: new ort.Tensor("float32", norm, [2, channels]),
        ...(weights && { weights: new ort.Tensor("float32", weights, [weights.length]) }),
      });
      const values = (name: keyof Outputs) => outputs[name].data as Float32Array;
      return { logits: values("logits"), gradient: values("gradient"), cam: values("cam") };
    },
    release: () => session.release(),
  };
}
