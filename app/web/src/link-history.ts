/** The browser's history of links: Back undoes one change. */

/** Changes of one kind that follow each other this fast are one step of the history. */
const ONE_CHANGE_MS = 1500;
/** Safari refuses more than a hundred writes in thirty seconds, which a slider would exceed. */
const BETWEEN_WRITES_MS = 300;

export class LinkHistory {
  #kind = "";
  #time = 0;
  #unwritten: string | null = null;
  #timer = 0;

  write(link: string, kind: string): void {
    const now = Date.now();
    const isSame = kind === this.#kind && now - this.#time < ONE_CHANGE_MS;
    [this.#kind, this.#time] = [kind, now];
    if (isSame) {
      this.#unwritten = link;
      clearTimeout(this.#timer);
      this.#timer = window.setTimeout(() => this.#flush(), BETWEEN_WRITES_MS);
    } else {
      this.#flush();
      history.pushState(null, "", link);
    }
  }

  /** Another link was followed: the next change is a step of its own. */
  follow(): void {
    [this.#kind, this.#unwritten] = ["", null];
    clearTimeout(this.#timer);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    if (this.#unwritten !== null) history.replaceState(null, "", this.#unwritten);
    this.#unwritten = null;
  }
}
