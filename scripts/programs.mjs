// @ts-check
/**
 * The programs that Holter carries as text, for a process or a thread of their own: each `text.ts` in src
 * is the `entry.ts` beside it, bundled. A bundler follows imports and not files that lie beside them, so
 * this is what is there in a bot's bundle too.
 *
 * `better-sqlite3` stays outside, since it brings a binary: the child of SQLite is given its path.
 */
import { existsSync, readdirSync } from "node:fs"
import { rm, writeFile } from "node:fs/promises"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const source = fileURLToPath(new URL("../src", import.meta.url))

const isSchema = (/** @type {string} */ name) => name.endsWith("/effect/dist/esm/Schema.js")

const entryOf = (/** @type {string} */ file) => path.join(path.dirname(file), "entry.ts")

const isText = (/** @type {string} */ file) =>
  path.basename(file) === "text.ts" && existsSync(entryOf(file))

/** @type {import("esbuild").Plugin} */
const driver = {
  name: "driver",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /^better-sqlite3$/ }, ({ path }) => ({ path, namespace: "driver" }))
    onLoad({ filter: /./, namespace: "driver" }, () => ({
      contents: "module.exports = require(carried.driver)"
    }))
  }
}

/**
 * The module that stands for `file`, and the sources that are in it.
 *
 * @type {(file: string) => Promise<{ readonly module: string, readonly inputs: ReadonlyArray<string> }>}
 */
const moduleOf = async (file) => {
  const { metafile, outputFiles } = await build({
    entryPoints: [entryOf(file)],
    write: false,
    metafile: true,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    minify: true,
    logLevel: "warning",
    legalComments: "none",
    plugins: [driver]
  })
  // A process and its thread compile all of it for each backup: constants stand apart from schemas.
  const parts = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.entries(inputs))
  if (parts.some(([name, { bytesInOutput }]) => isSchema(name) && bytesInOutput > 0)) {
    throw new Error(`${entryOf(file)} has all of effect in it: import types only from its Protocol`)
  }
  const text = outputFiles.map((output) => output.text).join("")
  return {
    module: `export const text = ${JSON.stringify(text)}\n`,
    inputs: Object.keys(metafile.inputs)
  }
}

/**
 * For esbuild, where it bundles a source: the tests' programs and the command line.
 *
 * @type {import("esbuild").Plugin}
 */
export const programs = {
  name: "programs",
  setup: ({ onLoad }) => {
    onLoad({ filter: /[/\\]text\.ts$/ }, async ({ path: file }) =>
      isText(file) ? { contents: (await moduleOf(file)).module, loader: "js" } : undefined
    )
  }
}

/**
 * The same for vitest, which loads a source as it is.
 *
 * @type {() => { name: string, enforce: "pre", load: (file: string) => Promise<string | undefined> }}
 */
export const vitePrograms = () => ({
  name: "programs",
  enforce: "pre",
  load: async (file) => (isText(file) ? (await moduleOf(file)).module : undefined)
})

/**
 * Puts the texts where tsc has put the modules. Gives the files that are in them.
 *
 * @type {(dist: string) => Promise<ReadonlyArray<string>>}
 */
export const writePrograms = async (dist) => {
  const inputs = []
  for (const name of readdirSync(source, { recursive: true }).map(String)) {
    if (!isText(path.join(source, name))) continue
    const { module, inputs: own } = await moduleOf(path.join(source, name))
    const file = path.join(dist, name.replace(/\.ts$/, ".js"))
    await writeFile(file, module)
    await rm(`${file}.map`, { force: true })
    inputs.push(...own)
  }
  return inputs
}
