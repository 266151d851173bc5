/** What a person has chosen, and the link that holds all of it. */

import {
  type AttackKind,
  type Manifest,
  type MapMethod,
  type Network,
  type Norm,
  networkNamed,
  type Settings,
  type Truth,
} from "./manifest";

export const LINK_VERSION = "1";
export const ATTACKS: AttackKind[] = ["pgd", "fgsm", "noise", "none"];
export const NORMS: Norm[] = ["linf", "l2"];
export const METHODS: MapMethod[] = ["grad-cam", "saliency"];
/** Parts of the page that a link can hide. */
export const PARTS = [
  "controls",
  "pictures",
  "answers",
  "maps",
  "film",
  "dial",
  "measured",
  "about",
  "training",
  "doors",
] as const;
export type PagePart = (typeof PARTS)[number];

export const MOST_STEPS = 50;
/** In pixel units; the app has the same. */
export const LARGEST_EPSILON: Record<Norm, number> = { linf: 16 / 255, l2: 5 };
export const USUAL_BLEND = 0.5;

const USUAL_EPSILON: Record<Norm, number> = { linf: 4 / 255, l2: 1 };

/** The radius to begin with in a norm: the first view's, where it is of this norm. */
export function usualEpsilon({ first }: Manifest, norm: Norm): number {
  return first.settings.norm === norm ? first.settings.epsilon : USUAL_EPSILON[norm];
}

export interface State {
  network: string;
  picture: string;
  /** What a person said of a picture whose right class the page does not know. */
  right: Truth;
  settings: Settings;
  /** The step of the film that is shown; null for the last. */
  step: number | null;
  /** The branch at the other end of the dial. */
  dial: string;
  /** Where the dial stands: the share of that branch, in [0, 1]. */
  blend: number;
  hide: PagePart[];
}

/** What a link asks for that this page does not have. */
export interface Complaint {
  about: "version" | "network" | "trained-network" | "picture" | "own-picture" | "value";
  key: string;
  value: string;
}

export function firstState(manifest: Manifest): State {
  const { network, picture, settings } = manifest.first;
  const dial = otherBranch(networkNamed(manifest, network));
  return {
    network,
    picture,
    right: null,
    settings,
    step: null,
    dial,
    blend: USUAL_BLEND,
    hide: [],
  };
}

/** The state for another network: what it does not have goes back to its own first choice. */
export function withNetwork(state: State, network: Network): State {
  const names = network.branches.map((branch) => branch.name);
  const { attack_branch } = state.settings;
  return {
    ...state,
    network: network.name,
    picture: network.pictures[0].name,
    right: null,
    dial: names.includes(state.dial) ? state.dial : otherBranch(network),
    step: null,
    settings: {
      ...state.settings,
      attack_branch: names.includes(attack_branch) ? attack_branch : names[0],
      target: null,
    },
  };
}

function otherBranch(network: Network): string {
  return (network.branches[1] ?? network.branches[0]).name;
}

/** An own picture is held by the page alone: its name is `yours-1`, `yours-2` … */
export function isOwn(picture: string): boolean {
  return /^yours-\d+$/.test(picture);
}

/** The page alone holds what was trained in it. */
const TRAINED_HERE = /^trained-\d+$/;

export function writeLink(state: State): string {
  const { attack, norm, epsilon, steps, attack_branch, method, target } = state.settings;
  const pairs: [string, string | number | null][] = [
    ["v", LINK_VERSION],
    ["network", state.network],
    ["picture", state.picture],
    ["right", state.right],
    ["attack", attack],
    ["norm", norm],
    ["epsilon", writeRadius(epsilon, norm)],
    ["steps", steps],
    ["through", attack_branch],
    ["target", target],
    ["step", state.step],
    ["map", method],
    ["dial", state.dial],
    ["blend", state.blend === USUAL_BLEND ? null : state.blend],
    ["hide", state.hide.join(",") || null],
  ];
  return pairs
    .filter(([, value]) => value !== null)
    .map(
      ([key, value]) =>
        `${key}=${encodeURIComponent(String(value)).replace(/%2F|%2C/g, decodeURIComponent)}`,
    )
    .join("&");
}

export function readLink(
  link: string,
  manifest: Manifest,
  own: ReadonlySet<string> = new Set(),
): { state: State; complaints: Complaint[] } {
  const first = firstState(manifest);
  const values = new URLSearchParams(link.replace(/^#/, "").replace(/\+/g, "%2B"));
  if (![...values.keys()].length) return { state: first, complaints: [] };
  const version = values.get("v") ?? LINK_VERSION;
  if (version !== LINK_VERSION) {
    return { state: first, complaints: [{ about: "version", key: "v", value: version }] };
  }
  const reader = new LinkReader(values);
  const names = manifest.networks.map((network) => network.name);
  const about = TRAINED_HERE.test(values.get("network") ?? "") ? "trained-network" : "network";
  const name = reader.oneOf("network", names, first.network, about);
  const network = networkNamed(manifest, name);
  const start = name === first.network ? first : withNetwork(first, network);
  const branches = network.branches.map((branch) => branch.name);
  const last = start.settings;
  const norm = reader.oneOf("norm", NORMS, last.norm);
  const settings: Settings = {
    attack: reader.oneOf("attack", ATTACKS, last.attack),
    norm,
    epsilon: reader.number("epsilon", 0, LARGEST_EPSILON[norm], usualEpsilon(manifest, norm)),
    steps: reader.whole("steps", 1, MOST_STEPS, last.steps),
    attack_branch: reader.oneOf("through", branches, last.attack_branch),
    method: reader.oneOf("map", METHODS, last.method),
    target: reader.whole("target", 0, network.classes.length - 1, null),
  };
  const state: State = {
    network: name,
    picture: reader.picture(network, own, start.picture),
    right: reader.truth("right", network.classes.length),
    settings,
    step: reader.whole("step", 0, MOST_STEPS, null),
    dial: reader.oneOf("dial", branches, start.dial),
    blend: reader.number("blend", 0, 1, start.blend),
    hide: reader.parts("hide"),
  };
  return { state, complaints: reader.complaints };
}

/** Reads values one by one; what does not fit is complained of and replaced. */
class LinkReader {
  readonly complaints: Complaint[] = [];

  constructor(readonly values: URLSearchParams) {}

  oneOf<T extends string>(
    key: string,
    choices: readonly T[],
    otherwise: T,
    about: Complaint["about"] = "value",
  ): T {
    const value = this.values.get(key);
    if (value === null) return otherwise;
    if (choices.includes(value as T)) return value as T;
    this.complaints.push({ about, key, value });
    return otherwise;
  }

  number<T extends number | null>(key: string, least: number, most: number, otherwise: T) {
    const value = this.values.get(key);
    if (value === null) return otherwise;
    const number = readRadius(value);
    if (number >= least && number <= most) return number;
    this.complaints.push({ about: "value", key, value });
    return otherwise;
  }

  whole<T extends number | null>(key: string, least: number, most: number, otherwise: T) {
    const number = this.number(key, least, most, otherwise);
    if (number === null || Number.isInteger(number)) return number;
    this.complaints.push({ about: "value", key, value: String(number) });
    return otherwise;
  }

  truth(key: string, classes: number): Truth {
    return this.values.get(key) === "none" ? "none" : this.whole(key, 0, classes - 1, null);
  }

  picture(network: Network, own: ReadonlySet<string>, otherwise: string): string {
    const value = this.values.get("picture");
    if (value !== null && own.has(value)) return value;
    const about = isOwn(value ?? "") ? "own-picture" : "picture";
    const names = network.pictures.map((picture) => picture.name);
    return this.oneOf("picture", names, otherwise, about);
  }

  parts(key: string): PagePart[] {
    const asked = (this.values.get(key) ?? "").split(",").filter(Boolean);
    const isPart = (name: string): name is PagePart => PARTS.includes(name as PagePart);
    for (const value of asked.filter((name) => !isPart(name))) {
      this.complaints.push({ about: "value", key, value });
    }
    return asked.filter(isPart);
  }
}

/** `2/255` in L∞, `0.5` in L2. */
export function writeRadius(epsilon: number, norm: Norm): string {
  return norm === "linf"
    ? `${Number((255 * epsilon).toFixed(2))}/255`
    : String(Number(epsilon.toPrecision(6)));
}

/** `2/255` and `0.5` alike; NaN for what is no number. */
function readRadius(text: string): number {
  const parts = text.split("/");
  if (parts.length > 2 || parts.some((part) => !/^\d*\.?\d+$/.test(part))) return Number.NaN;
  return Number(parts[0]) / Number(parts[1] ?? 1);
}
