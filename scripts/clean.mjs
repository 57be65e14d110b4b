// @ts-check
/**
 * Removes from dist what tsc made of modules that are gone: it would be published. The rest stays,
 * so that a build does not take the program away from whoever is running it.
 */
import { existsSync, readdirSync, rmSync } from "node:fs"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "..")
const dist = path.join(root, "dist")

for (const entry of existsSync(dist) ? readdirSync(dist, { recursive: true }) : []) {
  const module = /^(.*)\.(?:js|d\.ts)(?:\.map)?$/.exec(String(entry))?.[1]
  if (module !== undefined && !existsSync(path.join(root, "src", `${module}.ts`))) {
    rmSync(path.join(dist, String(entry)))
  }
}
