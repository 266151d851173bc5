/** The norm layers of each branch, and every blend of two. */

import type { Network } from "../manifest";
import { shuffled, uniformNumbers } from "./numbers";

export class Branches {
  readonly names: string[];
  readonly #norms: Map<string, Float32Array>;
  /** Channels of each norm layer, in order. */
  readonly #layers: readonly number[];

  /** @param norms float32 (branches, 2, channels), in the order of the network's branches. */
  constructor(network: Network, norms: Float32Array) {
    const length = 2 * network.channels;
    this.#layers = network.norm_layers;
    this.names = network.branches.map((branch) => branch.name);
    this.#norms = new Map(
      this.names.map((name, index) => [name, norms.slice(index * length, (index + 1) * length)]),
    );
  }

  /** (2, channels) scale and shift. */
  norm(name: string): Float32Array {
    const norm = this.#norms.get(name);
    if (!norm) throw new Error(`there is no branch ${name}, only ${this.names}`);
    return norm;
  }

  /** main's norm layers moved by the share towards another branch's. */
  blend(name: string, share: number): Float32Array {
    const other = this.norm(name);
    return this.norm(this.names[0]).map((value, index) => value + share * (other[index] - value));
  }

  /**
   * A branch whose last norm layers give each channel another channel's scale and shift.
   *
   * Within a layer, so that their sizes stay what they were and only their places are by chance.
   */
  shuffled(name: string, layers: number, seed: number): Float32Array {
    const norm = this.norm(name);
    const channels = norm.length / 2;
    const changed = norm.slice();
    const uniform = uniformNumbers(seed);
    let stop = channels;
    for (const size of [...this.#layers].reverse().slice(0, layers)) {
      const start = stop - size;
      const places = Array.from({ length: size }, (_, index) => start + index);
      shuffled(places, uniform).forEach((from, index) => {
        changed[start + index] = norm[from];
        changed[channels + start + index] = norm[channels + from];
      });
      stop = start;
    }
    return changed;
  }
}
