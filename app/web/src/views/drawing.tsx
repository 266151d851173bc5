/** A picture with its caption, from levels or from a data URL. */

import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { imageOf } from "../pictures";
import type { Drawn } from "../shown";

interface Props {
  drawn: Drawn | null;
  size: number;
  alt: string;
  /** The alternative text where there is none. */
  caption?: ComponentChildren;
  isPending?: boolean;
}

export function Drawing({ drawn, size, alt, caption = alt, isPending = false }: Props) {
  return (
    <figure class={isPending ? "drawing pending" : "drawing"}>
      <Surface drawn={drawn} size={size} alt={alt} />
      <figcaption>{caption}</figcaption>
    </figure>
  );
}

export function Surface({ drawn, size, alt }: { drawn: Drawn | null; size: number; alt: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    if (!drawn || typeof drawn === "string") return;
    canvas.current?.getContext("2d")?.putImageData(imageOf(drawn, size), 0, 0);
  }, [drawn, size]);
  if (typeof drawn === "string") return <img src={drawn} alt={alt} width={size} height={size} />;
  if (!drawn) return <div class="empty" role="img" aria-label={alt} />;
  // What shows nothing of its own, as in a button that has a name, is no picture.
  if (!alt) return <canvas ref={canvas} width={size} height={size} />;
  return <canvas ref={canvas} width={size} height={size} role="img" aria-label={alt} />;
}
