/**
 * A bot that a bundler has put into one folder, which is moved: nothing of Holter is beside it but
 * what it carries itself, and of packages only better-sqlite3, which brings a binary.
 */
import { assert, describe, it } from "@effect/vitest"
import commonjsPlugin from "@rollup/plugin-commonjs"
import { Effect } from "effect"
import * as esbuild from "esbuild"
import * as fs from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { type Plugin, rollup } from "rollup"
import { nodeResolve } from "@rollup/plugin-node-resolve"
import * as Program from "../support/Program.js"
import { fill, inDatabase } from "../support/SqliteBackup.js"
import * as TempDir from "../support/TempDir.js"

const root = fileURLToPath(new URL("../..", import.meta.url))
/** Its types are those of a CommonJS module, which it is not for an import. */
const commonjs = commonjsPlugin as unknown as () => Plugin
const external = ["better-sqlite3", "pg-native"]

/** A user's project, in which packages are installed. */
const project = Effect.gen(function* () {
  const folder = yield* TempDir.make("bundled")
  const modules = path.join(folder, "node_modules")
  fs.mkdirSync(modules)
  fs.symlinkSync(root, path.join(modules, "holter"))
  for (const name of ["@effect", "effect", "better-sqlite3"]) {
    fs.symlinkSync(path.join(root, "node_modules", name), path.join(modules, name))
  }
  const entry = path.join(folder, "bot.mjs")
  fs.copyFileSync(fileURLToPath(new URL("./bundled/bot.mjs", import.meta.url)), entry)
  return { entry, out: path.join(folder, "out") }
})

interface Given {
  readonly entry: string
  readonly out: string
}

const byEsbuild =
  (format: "esm" | "cjs", name: string) =>
  ({ entry, out }: Given) =>
    esbuild.build({
      entryPoints: [entry],
      outfile: path.join(out, name),
      bundle: true,
      platform: "node",
      format,
      external,
      logLevel: "error",
      logOverride: { "empty-import-meta": "silent" },
      // CommonJS packages inside the bundle ask for Node's modules.
      ...(format === "cjs"
        ? {}
        : {
            banner: {
              js: `import { createRequire } from "node:module"; const require = createRequire(import.meta.url)`
            }
          })
    })

const byRollup =
  (name: string) =>
  async ({ entry, out }: Given) => {
    const bundle = await rollup({
      input: entry,
      external,
      plugins: [nodeResolve({ exportConditions: ["node"], preferBuiltins: true }), commonjs()],
      onLog: () => {}
    })
    await bundle.write({ dir: out, format: "es", entryFileNames: name })
    await bundle.close()
  }

describe("a bot whose bundle lies in a folder of its own", () => {
  it.scopedLive.each([
    ["esbuild, ESM", "bot.mjs", byEsbuild("esm", "bot.mjs")],
    ["esbuild, CommonJS", "bot.cjs", byEsbuild("cjs", "bot.cjs")],
    ["rollup, ESM", "bot.mjs", byRollup("bot.mjs")]
  ] as const)(
    "backs up SQLite and verifies it: %s",
    ([, name, bundle]) =>
      Effect.gen(function* () {
        const given = yield* project
        yield* Effect.promise<unknown>(() => bundle(given))
        const moved = yield* TempDir.make("moved")
        fs.renameSync(given.out, path.join(moved, "bot"))
        fs.rmSync(given.entry)
        fs.mkdirSync(path.join(moved, "node_modules"))
        fs.symlinkSync(
          path.join(root, "node_modules/better-sqlite3"),
          path.join(moved, "node_modules/better-sqlite3")
        )
        const data = yield* TempDir.make("data")
        inDatabase(path.join(data, "bot.db"), (database) => fill(database, 100))
        const backups = path.join(data, "backups")
        fs.mkdirSync(backups, { mode: 0o700 })
        for (let index = 0; index < others; index++) {
          const stamp = `20250101_000000_${String(index).padStart(3, "0")}`
          fs.writeFileSync(path.join(backups, `other_sqlite_${stamp}.db`), "x")
        }
        const program = yield* Program.start(path.join(moved, "bot", name), {
          args: [`sqlite:///${data}/bot.db`, backups]
        })
        const { stderr, stdout } = yield* program.exit
        assert.strictEqual(stderr, "")
        const found = JSON.parse(stdout) as Found
        assert.deepStrictEqual(found.tables, [{ name: "items", rows: 100 }])
        assert.deepStrictEqual(found.verified, [[found.name, "sound"]])
        assert.isAtLeast(found.told, others)
      }),
    180_000
  )
})

/** Enough for the thread that looks at many. */
const others = 300

interface Found {
  readonly name: string
  readonly tables: ReadonlyArray<object>
  readonly verified: ReadonlyArray<readonly [name: string, found: string]>
  readonly told: number
}
