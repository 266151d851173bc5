/** Pictures that a person opened: this page alone holds them, as `yours-1`, `yours-2` … */

import type { Levels } from "./engine/levels";
import { dataUrlOf, type ReadPicture, readPicture } from "./pictures";

interface OwnPicture {
  title: string;
  /** The file itself, for networks of another size; null for a frame of the camera. */
  file: Blob | null;
  levels: Map<number, Levels>;
  /** A data URL. */
  thumbnail: string;
  /** Pixels of the file. */
  width: number;
  height: number;
}

export class OwnPictures {
  readonly #pictures = new Map<string, OwnPicture>();

  names(): Set<string> {
    return new Set(this.#pictures.keys());
  }

  list(): { name: string; title: string; thumbnail: string }[] {
    return [...this.#pictures].map(([name, { title, thumbnail }]) => ({ name, title, thumbnail }));
  }

  get(name: string): OwnPicture | undefined {
    return this.#pictures.get(name);
  }

  /** Keeps a picture that was read at a size; gives its name. */
  add(title: string, file: Blob | null, read: ReadPicture, size: number): string {
    const name = `yours-${this.#pictures.size + 1}`;
    const { levels, width, height } = read;
    const thumbnail = dataUrlOf(levels, size);
    this.#pictures.set(name, {
      ...{ title, file, thumbnail, width, height },
      levels: new Map([[size, levels]]),
    });
    return name;
  }

  /** A picture at a size; null where the page does not hold it, or not at this size. */
  async levels(name: string, size: number): Promise<Levels | null> {
    const picture = this.#pictures.get(name);
    if (picture?.file && !picture.levels.has(size)) {
      picture.levels.set(size, (await readPicture(picture.file, size)).levels);
    }
    return picture?.levels.get(size) ?? null;
  }
}
