/** What the HTML file holds for the page: written by Python, read here. */

export type AttackKind = "pgd" | "fgsm" | "noise" | "none";
export type Norm = "linf" | "l2";
export type MapMethod = "grad-cam" | "saliency";
export type InputKind = "clean" | "perturbed";

/** The class that is right; "none" where the network has no such class, null where nobody said. */
export type Truth = number | "none" | null;

export interface Settings {
  attack: AttackKind;
  norm: Norm;
  /** Radius in pixel units on [0, 1]. */
  epsilon: number;
  steps: number;
  attack_branch: string;
  method: MapMethod;
  /** The class a targeted attack drives towards; null for an untargeted one. */
  target: number | null;
}

export interface Asset {
  bytes: number;
  sha256: string;
  /** Where it is fetched in the split form; null where it lies in the page. */
  url: string | null;
  /** The bytes themselves, of what was made in the page. */
  content?: Uint8Array<ArrayBuffer>;
}

export interface GalleryPicture {
  name: string;
  title: string;
  /** A data URL of size × size pixels. */
  png: string;
  true_class: Truth;
}

export interface Network {
  name: string;
  title: string;
  about: string;
  size: number;
  classes: string[];
  branches: { name: string; origin: string }[];
  channels: number;
  /** Channels of each norm layer, in order. */
  norm_layers: number[];
  /** Rows and columns of the CAM. */
  cells: [number, number];
  layer: string;
  graph: string;
  norms: string;
  /** The asset with the weights that its graph takes; absent where they lie in the graph. */
  weights?: string;
  pictures: GalleryPicture[];
}

/** The first view, computed before: it shows while the network is still loading. */
export interface First {
  network: string;
  picture: string;
  settings: Settings;
  perturbed: string;
  answers: Record<InputKind, Record<string, [classIndex: number, probability: number][]>>;
  maps: Record<InputKind, Record<string, { class: number; values: number[] }>>;
}

export interface Manifest {
  format: number;
  version: string;
  title: string;
  assets: Record<string, Asset>;
  networks: Network[];
  first: First;
  /** What the lessons need beside networks; null in a page without lessons. */
  lessons: LessonMaterial | null;
  /** The network that a person trains in the page; null in a page without. */
  training: TrainingPlan | null;
}

export type Objective = "vanilla" | "mixed" | "advprop";

/** A tiny network, its graphs and its pictures; names are those of assets. */
export interface TrainingPlan {
  /** Of the lab, for a network with both branches; name, title and weights come when it is trained. */
  network: Network;
  /** Ways to learn; the first is the usual one. */
  objectives: Record<Objective, { graph: string; branches: string[] }>;
  evaluation: string;
  /** Each shared tensor, in the order of the flat vector, with the deviation of its start. */
  weights: { entries: number; deviation: number }[];
  norm_layers: { name: string; channels: number }[];
  norm_epsilon: number;
  /** Pictures of a step. */
  batch: number;
  steps: number;
  /** At its highest. */
  learning_rate: number;
  pictures: {
    sheet: string;
    columns: number;
    /** The class of each picture; the sheet holds those to train on first. */
    train: number[];
    validation: number[];
  };
}

/** A logistic regression: positive where it says seven. */
export interface LinearModel {
  weight: number[];
  bias: number;
}

export interface DigitImages {
  /** Base64 of a byte for each pixel, image by image, 0 up to the digits' `levels`. */
  pixels: string;
  /** Base64 of a signed byte for each image: 1 for a seven, −1 for a three. */
  signs: string;
}

export interface Digits {
  side: number;
  levels: number;
  /** The radius that the robust model was trained against, in pixel units. */
  epsilon: number;
  train: DigitImages;
  test: DigitImages;
  natural: LinearModel;
  robust: LinearModel;
}

/** A drawn object: the outline of `shape`, covered in `texture`. */
export interface LessonScene {
  name: string;
  png: string;
  shape: string;
  texture: string;
}

export interface LessonMaterial {
  digits: Digits;
  /** The texture at each place goes with the drawn class at that place. */
  textures: string[];
  /** Their texture belongs to another class. */
  conflicts: LessonScene[];
  scenes: LessonScene[];
}

/** The newest layout of the manifest that this page reads. */
export const FORMAT = 2;

/** What the page holds; null where it is damaged or of another version. */
export function readManifest(document: Document): Manifest | null {
  const text = document.getElementById("lab-manifest")?.textContent;
  try {
    const manifest = JSON.parse(text ?? "null") as Manifest | null;
    return manifest?.format === FORMAT ? manifest : null;
  } catch {
    return null;
  }
}

export function networkNamed(manifest: Manifest, name: string): Network {
  return manifest.networks.find((network) => network.name === name) ?? manifest.networks[0];
}
