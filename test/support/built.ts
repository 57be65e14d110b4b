/**
 * Builds the command once before a run that has end-to-end tests in it, when it is older than its
 * sources. `npm test` has built it by then.
 */
import { execFileSync } from "node:child_process"
import { existsSync, readdirSync, statSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("../..", import.meta.url))

/** `words` are those of vitest's command line. */
export const ensureBuilt = (words: ReadonlyArray<string>): void => {
  if (process.env.HOLTER_TEST_BIN !== undefined || !needsCommand(words) || !isStale()) return
  process.stderr.write("test support: building the command\n")
  execFileSync("npm", ["run", "build", "--silent"], { cwd: root, stdio: ["ignore", 2, 2] })
}

/** Some words choose test files; where none does, all of them run. */
const needsCommand = (words: ReadonlyArray<string>): boolean => {
  const all = filesIn("test").filter((file) => file.endsWith(".test.ts"))
  const chosen = all.filter((file) => words.some((word) => file.includes(word)))
  return (chosen.length > 0 ? chosen : all).some((file) => file.endsWith(".e2e.test.ts"))
}

const isStale = (): boolean => {
  const bin = path.join(root, "dist", "bin.cjs")
  const built = existsSync(bin) ? statSync(bin).mtimeMs : 0
  const sources = [...filesIn("src"), ...filesIn("scripts"), path.join(root, "package.json")]
  return sources.some((file) => statSync(file).mtimeMs > built)
}

const filesIn = (folder: string): ReadonlyArray<string> =>
  readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
