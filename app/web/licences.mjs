/** The licences of what the page carries, from the packages that its parts were built from. */

import { readdir, readFile } from "node:fs/promises";

const NO_TEXT = "The package holds no licence text: it is at the end of this file.\n";

async function licenceOf(folder) {
  const { name, version, license } = JSON.parse(await readFile(`${folder}/package.json`, "utf8"));
  const file = (await readdir(folder)).find((entry) => /^licen[cs]e/i.test(entry));
  const text = file ? await readFile(`${folder}/${file}`, "utf8") : NO_TEXT;
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
}

/** @param inputs Paths of the files that were inlined, as esbuild lists them. */
export async function licences(inputs) {
  const folders = inputs
    .map((path) => path.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0])
    .filter((folder) => folder !== undefined);
  // Its files are bundles: they hold the common part too.
  folders.push("node_modules/onnxruntime-web", "node_modules/onnxruntime-common");
  const texts = await Promise.all([...new Set(folders)].sort().map(licenceOf));
  const microsoft = await readFile("licences/onnxruntime.txt", "utf8");
  const head = "The page carries these works of others.\n";
  return [head, ...texts, microsoft].join(`\n${"-".repeat(80)}\n\n`);
}
