/** The norm layers of each branch, and every blend of two. */

import type { Network } from "../manifest";

export class Branches {
  readonly names: string[];
  readonly #norms: Map<string, Float32Array>;

  /** @param norms float32 (branches, 2, channels), in the order of the network's branches. */
  constructor(network: Network, norms: Float32Array) {
    const length = 2 * network.channels;
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
}
