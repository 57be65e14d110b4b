// @ts-check
/**
 * The benchmarks: `npm run bench -- check`. Each file of bench/ that has a `main` is one.
 *
 *     npm run bench -- check [--rounds N] [--only cold|warm] [--node PATH]
 *     npm run bench -- shutdown [--rounds N]
 */
import { existsSync } from "node:fs"
import { register } from "node:module"
import * as path from "node:path"
import { setFlagsFromString } from "node:v8"

const root = path.resolve(import.meta.dirname, "..")
const [name = "", ...args] = process.argv.slice(2)
const file = path.join(root, "bench", `${name}.ts`)

if (!/^[a-z]+$/.test(name) || !existsSync(file)) {
  console.error("usage: npm run bench -- check|shutdown [--rounds N]")
  process.exit(64)
}

// Garbage of one contender must not be collected at another's cost.
setFlagsFromString("--expose-gc")
register("../bench/support/typescript.mjs", import.meta.url)
process.chdir(root)
const { main } = await import(file)
main(args)
