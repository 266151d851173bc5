/** Builds the page's parts into dist/, or with --tests the tests into build/. */

import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { build } from "esbuild";
import { licences } from "./licences.mjs";

const ORT = "node_modules/onnxruntime-web/dist/";
const common = { bundle: true, minify: true, target: "es2022", legalComments: "none" };
const isTests = process.argv.includes("--tests");

async function buildPage() {
  await rm("dist", { recursive: true, force: true });
  await mkdir("dist");
  const { version } = JSON.parse(await readFile("package.json", "utf8"));
  const results = await Promise.all([
    build({
      ...common,
      entryPoints: ["src/main.tsx"],
      outfile: "dist/lab.js",
      format: "iife",
      metafile: true,
    }),
    build({
      ...common,
      entryPoints: ["src/worker.ts"],
      outfile: "dist/worker.js",
      // A classic script: Chromium starts no module worker from a Blob of a page on disk.
      format: "iife",
      define: { "import.meta.url": "self.location.href" },
      external: ["module", "fs", "path", "worker_threads"],
      metafile: true,
    }),
    build({ ...common, entryPoints: ["src/sw.ts"], outfile: "dist/sw.js", format: "iife" }),
    build({ ...common, entryPoints: ["src/styles.css"], outfile: "dist/lab.css" }),
  ]);
  const wasm = "ort-wasm-simd-threaded.wasm";
  await copyFile(ORT + wasm, `dist/${wasm}`);
  const inlined = results.flatMap((result) => Object.keys(result.metafile?.inputs ?? {}));
  await writeFile("dist/THIRD_PARTY.txt", await licences(inlined));
  console.log(`dist/ is built, version ${version}`);
}

async function buildTests() {
  await rm("build", { recursive: true, force: true });
  const tests = (await readdir("tests")).filter((name) => /\.test\.tsx?$/.test(name));
  await build({
    ...common,
    minify: false,
    sourcemap: "inline",
    entryPoints: tests.map((name) => `tests/${name}`),
    outdir: "build",
    outExtension: { ".js": ".mjs" },
    format: "esm",
    platform: "node",
    external: ["onnxruntime-web"],
  });
}

await (isTests ? buildTests() : buildPage());
