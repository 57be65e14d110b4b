// @ts-check
/**
 * Bundles the child process that works on SQLite files into one file that plain Node runs.
 * `better-sqlite3` stays outside: it brings a binary.
 */
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import { build } from "esbuild"

const entry = fileURLToPath(
  new URL("../src/Backup/BackupStrategy/Sqlite/child/entry.ts", import.meta.url)
)

/**
 * `driver`: how the child requires better-sqlite3; by default by its path in this project, so that the
 * file works wherever it lies.
 *
 * Gives the files that are in it.
 *
 * @type {(outfile: string, driver?: string) => Promise<ReadonlyArray<string>>}
 */
export const bundleSqliteChild = async (
  outfile,
  driver = createRequire(import.meta.url).resolve("better-sqlite3")
) => {
  const { metafile } = await build({
    entryPoints: [entry],
    outfile,
    metafile: true,
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node20",
    minify: true,
    logLevel: "warning",
    legalComments: "none",
    plugins: [
      {
        name: "driver",
        setup: ({ onResolve }) => {
          onResolve({ filter: /^better-sqlite3$/ }, () => ({ path: driver, external: true }))
        }
      }
    ]
  })
  return Object.keys(metafile.inputs)
}
