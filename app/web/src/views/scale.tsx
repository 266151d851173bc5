/** The key of a drawing's colours. */

import { overGrey } from "../engine/drawing";

const [GREY, STOPS] = [150, 10];

/** Of maps, from nothing to most: the picture's grey, then the map's own colours. */
export const MAP_COLOURS = Array.from(
  { length: STOPS },
  (_, stop) => `rgb(${overGrey(GREY, stop / (STOPS - 1)).join(" ")})`,
);

interface Props {
  colours: readonly string[];
  /** What the first colour stands for. */
  least: string;
  /** What the last colour stands for. */
  most: string;
}

export function ScaleBar({ colours, least, most }: Props) {
  return (
    <span class="range">
      {least} <i style={{ background: `linear-gradient(to right, ${colours.join()})` }} /> {most}
    </span>
  );
}
