/** Picture files, data URLs and video frames to levels, and levels to canvases and PNG files. */

import { bytesOf } from "./engine/assets";
import type { Levels } from "./engine/levels";

export class NoPicture extends Error {}

export interface ReadPicture {
  levels: Levels;
  /** Of the file, in pixels. */
  width: number;
  height: number;
}

/** Longest side over shorter side beyond which a picture is no longer cut to a square. */
const MOST_OBLONG = 200;

export function canvasOf(width: number, height: number) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [width, height];
  // Read often, so it stays in main memory.
  const context = canvas.getContext("2d", { willReadFrequently: true, colorSpace: "srgb" });
  if (!context) throw new RangeError("no memory for a canvas");
  return { canvas, context };
}

/** RGBA, row by row, to levels (3, size, size). */
export function levelsOf({ data, width, height }: ImageData): Levels {
  const area = width * height;
  const levels = new Uint8Array(3 * area);
  for (let cell = 0; cell < area; cell++) {
    for (let channel = 0; channel < 3; channel++) {
      levels[channel * area + cell] = data[4 * cell + channel];
    }
  }
  return levels;
}

/** The centre square of what can be drawn, in size × size pixels over white. */
export function squareOf(
  source: CanvasImageSource,
  width: number,
  height: number,
  size: number,
): Levels {
  const { context } = canvasOf(size, size);
  const side = Math.min(width, height);
  context.fillStyle = "white";
  context.fillRect(0, 0, size, size);
  context.imageSmoothingEnabled = side !== size;
  context.imageSmoothingQuality = "high";
  const [left, top] = [(width - side) / 2, (height - side) / 2];
  context.drawImage(source, left, top, side, side, 0, 0, size, size);
  return levelsOf(context.getImageData(0, 0, size, size));
}

/** The size of a picture, from its first bytes where the browser can: it is not decoded yet. */
async function headOf(url: string): Promise<HTMLImageElement> {
  const image = new Image();
  const loaded = new Promise<void>((resolve, reject) => {
    image.onload = () => resolve();
    image.onerror = () => reject(new NoPicture());
  });
  image.src = url;
  await loaded;
  if (!image.naturalWidth || !image.naturalHeight) throw new NoPicture();
  return image;
}

/**
 * A picture file, upright, cut to its centre square of size × size pixels.
 *
 * A file of exactly this size is taken as it is, value by value.
 */
export async function readPicture(file: Blob, size: number): Promise<ReadPicture> {
  const url = URL.createObjectURL(file);
  try {
    const image = await headOf(url);
    const [width, height] = [image.naturalWidth, image.naturalHeight];
    if (Math.max(width, height) > MOST_OBLONG * Math.min(width, height)) throw new NoPicture();
    const scale = size / Math.min(width, height);
    const isExact = width === size && height === size;
    // Made small while it is read: a photo of 50 megapixels never is whole in memory here.
    const bitmap = await createImageBitmap(isExact ? file : image, {
      colorSpaceConversion: isExact ? "none" : "default",
      premultiplyAlpha: "none",
      ...(isExact
        ? {}
        : {
            resizeWidth: Math.max(size, Math.round(width * scale)),
            resizeHeight: Math.max(size, Math.round(height * scale)),
            resizeQuality: "high" as const,
          }),
    });
    const levels = squareOf(bitmap, bitmap.width, bitmap.height, size);
    bitmap.close();
    return { levels, width, height };
  } catch (error) {
    if (error instanceof RangeError) throw error;
    throw new NoPicture();
  } finally {
    URL.revokeObjectURL(url);
  }
}

/** A picture that the page holds as a data URL. */
export async function readDataUrl(url: string, size: number): Promise<Levels> {
  const bytes = bytesOf(url.slice(url.indexOf(",") + 1));
  return (await readPicture(new Blob([bytes], { type: "image/png" }), size)).levels;
}

export function imageOf(levels: Levels, size: number): ImageData {
  const image = new ImageData(size, size);
  const area = size * size;
  for (let cell = 0; cell < area; cell++) {
    for (let channel = 0; channel < 3; channel++) {
      image.data[4 * cell + channel] = levels[channel * area + cell];
    }
    image.data[4 * cell + 3] = 255;
  }
  return image;
}

function drawn(levels: Levels, size: number): HTMLCanvasElement {
  const { canvas, context } = canvasOf(size, size);
  context.putImageData(imageOf(levels, size), 0, 0);
  return canvas;
}

export function dataUrlOf(levels: Levels, size: number): string {
  return drawn(levels, size).toDataURL("image/png");
}

export async function pngOf(levels: Levels, size: number): Promise<Blob> {
  const canvas = drawn(levels, size);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/png"));
  if (!blob) throw new RangeError("no memory for a PNG");
  return blob;
}

export function download(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
