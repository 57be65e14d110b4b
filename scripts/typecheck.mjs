// @ts-check
/**
 * One run of tsc with the Effect language service in it: `tsc --noEmit` of the current directory.
 *
 * The service's own command line takes four times as long, since it checks the program once more for
 * every fifty files. Its `patch` command puts it into tsc; here into a copy, so that node_modules
 * stays as npm made it.
 */
import { spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync
} from "node:fs"
import * as path from "node:path"
import * as Diagnostics from "./diagnostics.mjs"

const modules = path.resolve(import.meta.dirname, "../node_modules")
const versionOf = (/** @type {string} */ name) =>
  JSON.parse(readFileSync(path.join(modules, name, "package.json"), "utf8")).version

const patchedCompiler = () => {
  const service = "@effect/language-service"
  const versions = [versionOf("typescript"), versionOf(service)].join("-")
  const copy = path.join(modules, ".cache", `typescript-effect-${versions}`)
  if (existsSync(copy)) return copy
  mkdirSync(path.dirname(copy), { recursive: true })
  // Two runs may come here at the same time: the first that is ready takes the name.
  const making = mkdtempSync(`${copy}-`)
  cpSync(path.join(modules, "typescript"), making, { recursive: true })
  const cli = path.join(modules, service, "cli.js")
  const patch = spawnSync("node", [cli, "patch", "--module", "tsc", "--dir", making], {
    encoding: "utf8"
  })
  if (patch.status !== 0) {
    rmSync(making, { recursive: true, force: true })
    throw new Error(`${patch.stdout}${patch.stderr}`)
  }
  if (existsSync(copy)) rmSync(making, { recursive: true, force: true })
  else renameSync(making, copy)
  return copy
}

/** What tsc found last time is good as long as the rules are the same, which tsc does not look at. */
const buildInfo = (/** @type {string} */ compiler) => {
  const rules = ["tsconfig.json", "tsconfig.base.json"].map((file) => readFileSync(file))
  const key = createHash("sha256").update(process.cwd()).update(Buffer.concat(rules)).digest("hex")
  return path.join(compiler, `${key.slice(0, 16)}.tsbuildinfo`)
}

const compiler = patchedCompiler()
const { status, stdout, stderr } = spawnSync(
  "node",
  [
    ...[path.join(compiler, "lib/tsc.js"), "--noEmit", "--pretty", "false"],
    ...["--incremental", "--tsBuildInfoFile", buildInfo(compiler)]
  ],
  { encoding: "utf8", maxBuffer: 1 << 28 }
)
const found = Diagnostics.read(stdout)
const counted = found.filter(Diagnostics.counts)
for (const diagnostic of counted) console.log(Diagnostics.format(diagnostic))
// It failed and did not say where: then all it said.
const crashed = status !== 0 && found.length === 0
if (crashed) console.log(`${stdout}${stderr}`)
process.exitCode = crashed || counted.length > 0 ? 1 : 0
