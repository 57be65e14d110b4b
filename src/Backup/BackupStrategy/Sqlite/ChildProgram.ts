/**
 * Where the program of the child process is: one file beside the built modules, for the library and
 * for the bundled command line.
 *
 * @since 0.1.0
 */
import { Context } from "effect"
import { fileURLToPath } from "node:url"

/**
 * The path of `sqlite-child.cjs`. To be provided by a program that bundles Holter into itself, which
 * has to ship the file beside it.
 *
 * @since 0.1.0
 * @category references
 */
export class ChildProgram extends Context.Reference<ChildProgram>()(
  "holter/Backup/BackupStrategy/Sqlite/ChildProgram",
  { defaultValue: (): string => besideModules(import.meta.url) }
) {}

const besideModules = (url: string): string => {
  const folder = url.slice(0, url.lastIndexOf("/dist/") + "/dist/".length)
  return fileURLToPath(new URL("sqlite-child.cjs", folder))
}
