/** The system's Python, for which the packages of the Python port come from the distribution. */
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import * as path from "node:path"

export const python = "/usr/bin/python3"

export const script = (name: string): string => path.join(import.meta.dirname, "..", "python", name)

/** How to get what is missing, or `undefined` where everything is there. */
export const missing = (modules: ReadonlyArray<string>): string | undefined => {
  if (!existsSync(python)) return `${python} is missing: apt-get install python3`
  const found = execFileSync(python, [
    "-c",
    "import importlib.util, sys; print(*(m for m in sys.argv[1:] if not importlib.util.find_spec(m)))",
    ...modules
  ])
  const absent = found.toString().trim()
  if (absent === "") return undefined
  const packages = absent.split(" ").map((name) => `python3-${name}`)
  return `missing for ${python}: apt-get install ${packages.join(" ")}`
}
