/** Holds what was chosen and what is shown, and sees to it that the second follows the first. */

import { type FailureKind, failureOf, textOf } from "./engine/failures";
import type { Job } from "./engine/findings";
import type { Levels } from "./engine/levels";
import { EngineClient, missingFeature } from "./engine-client";
import { LinkHistory } from "./link-history";
import { type Manifest, type Network, networkNamed, type Settings, type Truth } from "./manifest";
import type { Reply } from "./messages";
import { Observable } from "./observable";
import { OwnPictures } from "./own-pictures";
import { NoPicture, type ReadPicture, readDataUrl, readPicture } from "./pictures";
import { hashOf, readRoute } from "./route";
import { classOf, firstShown, type Shown, type Subject, withPart } from "./shown";
import {
  firstState,
  isOwn,
  readLink,
  type State,
  USUAL_BLEND,
  withNetwork,
  writeLink,
} from "./state";
import { words } from "./text";
import { failureText } from "./text/failures";

/** Which parts of what is shown are older than what was chosen. */
export interface Pending {
  answers: boolean;
  maps: boolean;
  film: boolean;
  dial: boolean;
}
const NONE: Pending = { answers: false, maps: false, film: false, dial: false };
const ALL: Pending = { answers: true, maps: true, film: true, dial: true };

export type Loading = { network: string; share: number } | "ready" | "failed";

export class Lab extends Observable {
  state: State;
  shown: Shown;
  pending: Pending = NONE;
  loading: Loading;
  problems: string[] = [];
  /** Of these, what was said of files; gone when one opens. */
  #refused: string[] = [];
  progress: { step: number; steps: number } | null = null;
  /** What asks while the camera is on: nothing else does then. */
  live: { next(): void; stop(): void } | null = null;

  readonly ownPictures = new OwnPictures();
  /** What was said of pictures in this visit: the right class of each. */
  readonly #rights = new Map<string, Truth>();
  readonly #gallery = new Map<string, Promise<Levels>>();
  #client: EngineClient | null = null;
  #job: { job: Job; subject: Subject } | null = null;
  #jobs = 0;
  readonly #history = new LinkHistory();

  constructor(readonly manifest: Manifest) {
    super();
    const { state, complaints } = readLink(location.hash, manifest);
    this.state = state;
    this.shown = firstShown(manifest);
    this.problems = complaints.map((complaint) => words.complaint(complaint));
    this.loading = { network: this.network.name, share: 0 };
    if (writeLink(state) !== writeLink(firstState(manifest))) this.pending = ALL;
  }

  get network(): Network {
    return networkNamed(this.manifest, this.state.network);
  }

  report(problem: string): void {
    this.problems = [...this.problems.filter((text) => text !== problem), problem];
    this.changed();
  }

  dismiss(problem: string): void {
    this.problems = this.problems.filter((text) => text !== problem);
    this.changed();
  }

  /** Starts the worker; the assets must have been parsed. */
  async start(): Promise<void> {
    window.addEventListener("popstate", () => this.#followLink());
    window.addEventListener("hashchange", () => this.#followLink());
    void this.#readFirst();
    const missing = missingFeature();
    if (missing) return this.#fail(failureText(missing, ""));
    try {
      this.#client = await EngineClient.start(this.manifest, (reply) => this.#hear(reply));
      this.#client.open(this.network);
    } catch (error) {
      this.#hearFailure(failureOf(error), textOf(error));
    }
  }

  /** The first view's pictures as levels: its maps and its change are drawn from them. */
  async #readFirst(): Promise<void> {
    const first = this.shown;
    const { clean, perturbed, subject } = first;
    if (typeof clean !== "string" || typeof perturbed !== "string") return;
    const [cleanLevels, perturbedLevels] = await Promise.all(
      [clean, perturbed].map((url) => readDataUrl(url, subject.network.size)),
    );
    if (this.shown !== first) return;
    this.shown = { ...first, clean: cleanLevels, perturbed: perturbedLevels };
    this.changed();
  }

  /** Changes what was chosen. Changes of one kind in a row are one step back in the history. */
  choose(change: Partial<State>, kind: string): void {
    const keepsStep = "step" in change || kind === "dial" || kind === "blend";
    this.#apply({ ...this.state, ...(keepsStep ? {} : { step: null }), ...change });
    this.#history.write(hashOf(writeLink(this.state)), kind);
  }

  set(change: Partial<Settings>, kind = Object.keys(change).join()): void {
    this.choose({ settings: { ...this.state.settings, ...change } }, kind);
  }

  chooseNetwork(name: string): void {
    const network = networkNamed(this.manifest, name);
    const { picture } = this.state;
    const next = withNetwork(this.state, network);
    const isKept =
      this.ownPictures.get(picture) || network.pictures.some((each) => each.name === picture);
    this.choose(isKept ? { ...next, picture } : next, "network");
  }

  choosePicture(picture: string): void {
    const right = this.#rights.get(this.#rightKey(picture)) ?? null;
    this.choose({ picture, right }, `picture ${picture}`);
  }

  /** Takes a person's word for the right class of a picture whose class the page does not know. */
  chooseRight(right: Truth): void {
    this.#rights.set(this.#rightKey(this.state.picture), right);
    this.choose({ right }, "right");
  }

  #rightKey(picture: string): string {
    return `${this.state.network} ${picture}`;
  }

  /** Takes a picture file; says so where it is none. */
  async openPicture(file: File): Promise<void> {
    const { size } = this.network;
    try {
      const read = await readPicture(file, size);
      for (const problem of this.#refused) this.dismiss(problem);
      this.#refused = [];
      this.#addOwn(file.name || words.ownTitle, file, read);
    } catch (error) {
      const problem =
        error instanceof NoPicture ? words.noPicture(file.name || "?") : words.outOfMemory;
      this.#refused.push(problem);
      this.report(problem);
    }
  }

  addLevels(title: string, levels: Levels): void {
    const { size } = this.network;
    this.#addOwn(title, null, { levels, width: size, height: size });
  }

  #addOwn(title: string, file: Blob | null, read: ReadPicture): void {
    this.choosePicture(this.ownPictures.add(title, file, read, this.network.size));
  }

  /** Asks for answers about one frame of the camera; live answers lead to `live.next`. */
  askLive(levels: Levels, attacks: boolean): void {
    const settings: Settings = { ...this.state.settings, attack: attacks ? "fgsm" : "none" };
    this.pending = { ...ALL, answers: false };
    this.#send("live", words.cameraTitle, null, levels, settings, true);
  }

  /** Asks again for the picture that was chosen, as after the camera was on. */
  async ask(): Promise<void> {
    if (this.live || this.loading !== "ready") return;
    const { state, network } = this;
    const levels = await this.#levels(state.picture, network).catch(() => {
      this.report(words.noPicture(this.ownPictures.get(state.picture)?.title ?? state.picture));
      return null;
    });
    if (state !== this.state || this.loading !== "ready" || !levels) return;
    const picture = network.pictures.find(({ name }) => name === state.picture);
    const title = this.ownPictures.get(state.picture)?.title ?? picture?.title ?? "";
    const truth = picture?.true_class ?? state.right;
    this.#send(state.picture, title, truth, levels, state.settings, false);
  }

  #send(
    picture: string,
    title: string,
    truth: Truth,
    clean: Levels,
    settings: Settings,
    isLive: boolean,
  ): void {
    const { network, state } = this;
    const id = ++this.#jobs;
    const dial = state.hide.includes("dial") || network.branches.length < 2 ? null : state.dial;
    const job: Job = {
      ...{ id, clean, settings, isLive },
      trueClass: classOf(truth),
      picture: `${network.name} ${picture}`,
      step: isLive ? null : state.step,
      dial,
    };
    this.#job = { job, subject: { network, picture, title, truth, settings } };
    this.#client?.compare(network, job);
  }

  #apply(next: State): void {
    const last = this.state;
    this.state = next;
    // What is hidden and where the dial stands ask nothing new of the network.
    const asks = (state: State) => writeLink({ ...state, hide: [], blend: USUAL_BLEND });
    if (asks(next) === asks(last)) {
      this.changed();
      return;
    }
    if (next.network !== last.network && this.#client) {
      this.loading = { network: next.network, share: 0 };
      this.#client.open(this.network);
    }
    const wasShown = !this.pending.answers;
    this.pending = this.loading === "failed" ? NONE : ALL;
    if (wasShown) this.#showFrame(last);
    this.changed();
    void this.ask();
  }

  /** Shows another step of the same film at once: its picture and answers are there already. */
  #showFrame(last: State): void {
    const { frames, film, answers, clean } = this.shown;
    const isScrub = writeLink({ ...last, step: null }) === writeLink({ ...this.state, step: null });
    if (!isScrub || !film || !answers || typeof clean === "string") return;
    const step = Math.min(this.state.step ?? frames.length - 1, frames.length - 1);
    const perturbed = frames[step];
    this.shown = { ...this.shown, step, perturbed, answers: { ...answers, perturbed: film[step] } };
    this.pending = { ...ALL, answers: false, film: false };
  }

  #followLink(): void {
    if (readRoute(location.hash).page !== "lab") return;
    const { state, complaints } = readLink(location.hash, this.manifest, this.ownPictures.names());
    for (const complaint of complaints) this.report(words.complaint(complaint));
    this.#history.follow();
    this.#apply(state);
  }

  async #levels(picture: string, network: Network): Promise<Levels | null> {
    if (isOwn(picture)) return this.ownPictures.levels(picture, network.size);
    const key = `${network.name} ${picture}`;
    const png = network.pictures.find(({ name }) => name === picture)?.png;
    if (!png) return null;
    if (!this.#gallery.has(key)) this.#gallery.set(key, readDataUrl(png, network.size));
    return this.#gallery.get(key) ?? null;
  }

  #hear(reply: Reply): void {
    switch (reply.kind) {
      case "opening":
        if (reply.network === this.network.name) this.loading = reply;
        break;
      case "opened":
        if (reply.network !== this.network.name) break;
        this.loading = "ready";
        if (this.live) this.live.next();
        else void this.ask();
        break;
      case "failed":
        this.#hearFailure(reply.failure, reply.what);
        break;
      case "part":
        if (reply.id === this.#job?.job.id) this.#take(reply);
        return;
    }
    this.changed();
  }

  #take({ part }: Reply & { kind: "part" }): void {
    if (!this.#job) return;
    const { job, subject } = this.#job;
    this.shown = withPart(this.shown, subject, job.clean, part);
    this.progress = part.kind === "progress" ? part : null;
    if (part.kind === "done") this.pending = NONE;
    else if (part.kind !== "progress") this.pending = { ...this.pending, [part.kind]: false };
    this.changed();
    if (job.isLive && part.kind === "answers") this.live?.next();
  }

  #hearFailure(failure: FailureKind, what: string): void {
    this.pending = NONE;
    this.progress = null;
    this.live?.stop();
    this.#fail(failureText(failure, what));
  }

  #fail(problem: string): void {
    if (this.loading !== "ready") this.loading = "failed";
    this.pending = NONE;
    this.report(problem);
  }
}
