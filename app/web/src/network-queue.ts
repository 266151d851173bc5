/** Asks networks one question after another, for the live parts of a lesson. */

import { type FailureKind, failureOf, textOf } from "./engine/failures";
import type { Answers, Job, Look, Looked } from "./engine/findings";
import type { Levels } from "./engine/levels";
import { EngineClient, missingFeature, pageIsParsed } from "./engine-client";
import { type Manifest, type Network, networkNamed } from "./manifest";
import type { Reply } from "./messages";
import { Observable } from "./observable";
import type { MissingFeature } from "./text/failures";

/** What was found out about an attacked picture. */
export interface Comparison {
  /** The class that the attack moves away from. */
  label: number;
  /** The picture before the attack. */
  original: Levels;
  perturbed: Levels;
  clean: Answers;
  answers: Answers;
}

export class NetworkFailure extends Error {
  constructor(
    readonly kind: FailureKind | MissingFeature,
    what: string,
  ) {
    super(what);
  }
}

/** Nobody looks for the answer any more. */
export class Unwanted extends Error {}

export type Loading = { network: Network; share: number };

interface Waiting {
  hear(reply: Reply): void;
  fail(failure: NetworkFailure): void;
}

export class NetworkQueue extends Observable {
  /** The network that is on its way; null where none is. */
  loading: Loading | null = null;
  #client: Promise<EngineClient> | null = null;
  #opened: string | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #waiting: Waiting | null = null;
  #jobs = 0;

  constructor(readonly manifest: Manifest) {
    super();
  }

  /** Attacks a picture and asks every branch, for answers alone. */
  compare(
    name: string,
    job: Omit<Job, "id" | "step" | "dial" | "isLive">,
    isWanted: () => boolean,
  ): Promise<Comparison> {
    return this.#next(name, isWanted, (client, network) => {
      const id = ++this.#jobs;
      return this.#reply<Comparison>(
        () => client.compare(network, { ...job, id, step: null, dial: null, isLive: true }),
        (reply) => {
          if (reply.kind !== "part" || reply.id !== id || reply.part.kind !== "answers")
            return null;
          const { label, frames, step, clean, perturbed } = reply.part;
          return { label, original: job.clean, perturbed: frames[step], clean, answers: perturbed };
        },
      );
    });
  }

  look(name: string, look: Look, isWanted: () => boolean): Promise<Looked> {
    return this.#next(name, isWanted, (client, network) => {
      const id = ++this.#jobs;
      return this.#reply<Looked>(
        () => client.look(network, id, look),
        (reply) => (reply.kind === "looked" && reply.id === id ? reply.looked : null),
      );
    });
  }

  /** Opens a network that will be asked; what fails is said where it is asked. */
  prepare(name: string): void {
    this.#next(
      name,
      () => true,
      async () => null,
    ).catch(() => null);
  }

  /** Frees the memory; the next question starts anew. */
  async end(): Promise<void> {
    const client = this.#client;
    [this.#client, this.#opened, this.loading] = [null, null, null];
    this.#waiting?.fail(new NetworkFailure("defect", "ended"));
    this.#last = Promise.resolve();
    (await client?.catch(() => null))?.end();
  }

  #next<T>(
    name: string,
    isWanted: () => boolean,
    ask: (client: EngineClient, network: Network) => Promise<T>,
  ): Promise<T> {
    const answer = this.#last.then(async () => {
      if (!isWanted()) throw new Unwanted();
      this.#client ??= this.#start();
      const client = await this.#client;
      const network = networkNamed(this.manifest, name);
      await this.#open(client, network);
      return ask(client, network);
    });
    this.#last = answer.catch(() => null);
    return answer;
  }

  async #start(): Promise<EngineClient> {
    const missing = missingFeature();
    if (missing) throw new NetworkFailure(missing, "");
    await pageIsParsed();
    try {
      return await EngineClient.start(this.manifest, (reply) => this.#hear(reply));
    } catch (error) {
      throw new NetworkFailure(failureOf(error), textOf(error));
    }
  }

  async #open(client: EngineClient, network: Network): Promise<void> {
    if (this.#opened === network.name) return;
    this.#load({ network, share: 0 });
    try {
      await this.#reply<true>(
        () => client.open(network),
        (reply) => {
          if (reply.kind === "opening") this.#load({ network, share: reply.share });
          return reply.kind === "opened" ? true : null;
        },
      );
      this.#opened = network.name;
    } finally {
      this.#load(null);
    }
  }

  #load(loading: Loading | null): void {
    this.loading = loading;
    this.changed();
  }

  /** The first reply of which `take` makes something. */
  #reply<T>(send: () => void, take: (reply: Reply) => T | null): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting = {
        hear: (reply) => {
          const taken = take(reply);
          if (taken !== null) resolve(taken);
        },
        fail: reject,
      };
      try {
        send();
      } catch (error) {
        reject(new NetworkFailure(failureOf(error), textOf(error)));
      }
    });
  }

  #hear(reply: Reply): void {
    if (reply.kind === "failed") {
      this.#waiting?.fail(new NetworkFailure(reply.failure, reply.what));
    } else this.#waiting?.hear(reply);
  }
}
