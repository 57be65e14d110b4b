// @ts-check
/**
 * Loads TypeScript: a hook of Node's module loader, in front of esbuild. Node 20 runs none itself.
 * Modules stay one by one and unbundled, as they are in the library.
 */
import { existsSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { fileURLToPath } from "node:url"
import { transform } from "esbuild"

/** @type {import("node:module").ResolveHook} */
export const resolve = (specifier, context, next) => {
  if (/^\.{1,2}\/.*\.js$/.test(specifier) && context.parentURL?.endsWith(".ts") === true) {
    const url = new URL(specifier.replace(/\.js$/, ".ts"), context.parentURL)
    if (existsSync(url)) return { url: url.href, format: "module", shortCircuit: true }
  }
  return next(specifier, context)
}

/** @type {import("node:module").LoadHook} */
export const load = async (url, context, next) => {
  if (!url.startsWith("file:") || !url.endsWith(".ts")) return next(url, context)
  const file = fileURLToPath(url)
  const { code } = await transform(await readFile(file, "utf8"), {
    loader: "ts",
    format: "esm",
    target: "node20",
    sourcefile: file,
    sourcemap: "inline"
  })
  return { format: "module", source: code, shortCircuit: true }
}
