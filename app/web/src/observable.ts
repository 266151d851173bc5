/** What tells its listeners that it has changed. */

export class Observable {
  readonly #listeners = new Set<() => void>();

  /** Gives what ends the listening. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  changed(): void {
    for (const listener of this.#listeners) listener();
  }
}
