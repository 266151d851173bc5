/** The bytes of an asset, from the page or from the host, checked against their sha256. */

import type { Asset } from "../manifest";
import { sha256 } from "./sha256";

export class DamagedAsset extends Error {
  override name = "DamagedAsset";
}

/** It could not be fetched from the host. */
export class MissingAsset extends Error {
  override name = "MissingAsset";
}

/** Where an asset is: gzipped and in base64 in the page, or at an address of the same host. */
export interface Source {
  name: string;
  asset: Asset;
  /** The text in the page; null in the split form. */
  packed: string | null;
  /** The absolute address; null where the text is given. */
  url: string | null;
}

export async function readAsset(source: Source): Promise<Uint8Array<ArrayBuffer>> {
  const { asset, name } = source;
  if (asset.content) return asset.content;
  const bytes = await read(source);
  if (bytes.length !== asset.bytes || (await sha256(bytes)) !== asset.sha256) {
    throw new DamagedAsset(name);
  }
  return bytes;
}

async function read({ packed, url, name }: Source): Promise<Uint8Array<ArrayBuffer>> {
  if (url !== null) {
    const response = await fetch(url).catch((cause: unknown) => {
      throw new MissingAsset(name, { cause });
    });
    if (!response.ok) throw new MissingAsset(name);
    return new Uint8Array(await response.arrayBuffer());
  }
  try {
    return await unpack(packed ?? "");
  } catch (error) {
    if (error instanceof RangeError) throw error; // out of memory
    throw new DamagedAsset(name, { cause: error });
  }
}

export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes;
}

/** base64(gzip(bytes)) to the bytes. */
async function unpack(packed: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([bytesOf(packed.trim())])
    .stream()
    .pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
