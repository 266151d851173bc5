import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { DamagedAsset, readAsset } from "../src/engine/assets";
import { digestOf, sha256 } from "../src/engine/sha256";

const bytes = new Uint8Array(1000).map((_, index) => (index * index) % 251);
const hashOf = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");
const packed = gzipSync(bytes).toString("base64");
const asset = { bytes: bytes.length, sha256: hashOf(bytes), url: null };

test("SHA-256 without crypto.subtle equals Node's at every padding", async () => {
  for (const length of [0, 1, 55, 56, 63, 64, 65, 1000]) {
    const data = bytes.slice(0, length);
    assert.equal(Buffer.from(digestOf(data)).toString("hex"), hashOf(data), `${length} bytes`);
    assert.equal(await sha256(data), hashOf(data));
  }
});

test("an asset is unpacked as it was written", async () => {
  const read = await readAsset({ name: "wasm", asset, packed, url: null });
  assert.deepEqual(read, bytes);
});

test("a damaged asset is refused by its name", async () => {
  const otherHash = { ...asset, sha256: hashOf(bytes.slice(1)) };
  const damaged = [
    { asset: otherHash, packed },
    { asset, packed: packed.slice(0, 100) },
    { asset, packed: `!!${packed}` },
    { asset, packed: "" },
    { asset, packed: null },
  ];
  for (const source of damaged) {
    await assert.rejects(readAsset({ name: "wasm", url: null, ...source }), (error: unknown) => {
      return error instanceof DamagedAsset && error.message === "wasm";
    });
  }
});
