/** Builds the page's parts into dist/, or with --tests the tests into build/. */

import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { promisify } from "node:util";
import { brotliCompress, constants } from "node:zlib";
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
  await Promise.all(["lab.js", "lab.css", "worker.js", wasm].map(pack));
  const inlined = results.flatMap((result) => Object.keys(result.metafile?.inputs ?? {}));
  await writeFile("dist/THIRD_PARTY.txt", await licences(inlined));
  console.log(`dist/ is built, version ${version}`);
}

/** Puts a smaller form beside a file of dist/, for web hosts. */
async function pack(name) {
  const content = await readFile(`dist/${name}`);
  // The best quality takes half a minute for the runtime's 14 MB, and makes it a tenth smaller.
  const quality = content.length > 1e6 ? 9 : constants.BROTLI_MAX_QUALITY;
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: quality,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
  };
  await writeFile(`dist/${name}.br`, await promisify(brotliCompress)(content, { params }));
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
