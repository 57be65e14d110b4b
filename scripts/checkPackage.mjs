// @ts-check
/**
 * What a user gets: the package is packed, and the tarball is looked at by publint, by attw, by Node
 * and by a compiler that checks libraries too, with nothing installed but what Holter's package.json
 * asks for. Works offline, but for trying the lines of README.md that install it. Expects a finished build.
 */
import { execFileSync } from "node:child_process"
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"

const root = path.resolve(import.meta.dirname, "..")
const work = mkdtempSync(path.join(tmpdir(), "holter-package-"))
const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"))

/** @type {(file: string, args: ReadonlyArray<string>, cwd: string) => string} */
const run = (file, args, cwd) => execFileSync(file, args, { cwd, encoding: "utf8" })
const bin = (/** @type {string} */ name) => path.join(root, "node_modules/.bin", name)

/** Each module that the exports map offers; a wildcard is every built module in its folder. */
const subpaths = Object.entries(manifest.exports).flatMap(([subpath, target]) => {
  // A null hides; a string is a JSON file, of which publint looks that it is there.
  if (target === null || typeof target === "string") return []
  if (!subpath.includes("*")) return [subpath]
  const folder = path.join(root, path.dirname(target.types))
  const modules = readdirSync(folder).filter((file) => file.endsWith(".d.ts"))
  return modules.map((file) => subpath.replace("*", path.basename(file, ".d.ts")))
})

const names = subpaths.map((subpath) => path.posix.join(manifest.name, subpath))

/** A user's project: Holter, the packages that it asks for, and Node's types. */
const install = (/** @type {string} */ tarball) => {
  const modules = path.join(work, "node_modules")
  mkdirSync(path.join(modules, "holter"), { recursive: true })
  run("tar", ["-xzf", tarball, "--strip-components=1", "-C", path.join(modules, "holter")], work)
  const packages = [
    ...Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }),
    "@types/node"
  ]
  for (const name of packages) {
    mkdirSync(path.dirname(path.join(modules, name)), { recursive: true })
    symlinkSync(path.join(root, "node_modules", name), path.join(modules, name))
  }
}

const compile = () => {
  writeFileSync(path.join(work, "package.json"), `{ "type": "module" }`)
  writeFileSync(
    path.join(work, "user.ts"),
    names.map((name, index) => `export * as M${index} from "${name}"\n`).join("")
  )
  const options = ["--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false"]
  const modules = ["--module", "NodeNext", "--target", "ES2022", "--types", "node"]
  return run(bin("tsc"), ["--noEmit", "--pretty", "false", ...options, ...modules, "user.ts"], work)
}

/** A project that emits declarations: the type of each layer that it exports has a name that it can write. */
const declare = () => {
  const program = `
    import { Redacted } from "effect"
    import { Holter } from "holter"
    import { Http } from "holter/plugins/Http"
    import { TelegramChannel } from "holter/plugins/Telegram"
    import { HealthTest, ScriptedCheck } from "holter/testing"

    export const check = Http.layerStandalone({ url: "https://example.com" })
    export const channel = TelegramChannel.layerStandalone({ token: Redacted.make("1:a"), chatId: "1" })
    export const Watch = Holter.layer({ checks: check, channels: channel })
    export const Backups = Holter.layerBackups({ app: "bot", url: "bot.db", directory: "backups" })
    export const Tested = HealthTest.layer({ checks: ScriptedCheck.layer([ScriptedCheck.healthy()]) })`
  writeFileSync(path.join(work, "declared.ts"), program)
  const options = ["--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "--declaration"]
  const modules = ["--module", "NodeNext", "--target", "ES2022", "--types", "node"]
  const out = ["--pretty", "false", "--emitDeclarationOnly", "--outDir", "declared"]
  return run(bin("tsc"), [...out, ...options, ...modules, "declared.ts"], work)
}

/** Every subpath loads, and no module below a plugin's own is within reach. */
const load = () => {
  const plugins = path.join(root, "dist/plugins")
  const internal = readdirSync(plugins, { recursive: true })
    .map(String)
    .filter((file) => file.endsWith(".js") && path.dirname(file) !== ".")
    .map((file) => path.posix.join(manifest.name, "plugins", file.slice(0, -3)))
  const program = `
    for (const name of ${JSON.stringify(names)}) await import(name)
    for (const name of ${JSON.stringify(internal)}) {
      const code = await import(name).then(() => "", (error) => error.code)
      if (code !== "ERR_PACKAGE_PATH_NOT_EXPORTED") {
        throw new Error(name + " can be imported: its folder needs a null in exports")
      }
    }`
  writeFileSync(path.join(work, "load.mjs"), program)
  return run("node", ["load.mjs"], work)
}

/**
 * Of other packages: each costs a bot a millisecond or so at its start. All of `effect` is 600 with what it
 * imports, a barrel of @effect/platform a hundred more.
 */
const mostModules = 620

/** What Node loads for `import "holter"`, counted by a hook in its loader. */
const count = () => {
  const hooks = `
    let port
    export const initialize = (given) => { port = given }
    export const load = (url, context, next) => {
      if (!url.startsWith("node:")) port.postMessage(url)
      return next(url, context)
    }`
  const program = `
    import { createRequire, register } from "node:module"
    import { MessageChannel, receiveMessageOnPort } from "node:worker_threads"
    const { port1, port2 } = new MessageChannel()
    const hooks = "data:text/javascript," + encodeURIComponent(${JSON.stringify(hooks)})
    register(hooks, { data: port2, transferList: [port2] })
    await import("${manifest.name}")
    const loaded = new Set()
    for (let one = receiveMessageOnPort(port1); one; one = receiveMessageOnPort(port1)) {
      loaded.add(one.message)
    }
    // What CommonJS requires passes no hook.
    for (const file of Object.keys(createRequire(import.meta.url).cache)) loaded.add(file)
    const others = [...loaded].filter((url) => !url.includes("/node_modules/${manifest.name}/"))
    process.stdout.write(String(others.length))
    process.exit()`
  writeFileSync(path.join(work, "count.mjs"), program)
  const modules = Number(run("node", ["count.mjs"], work))
  if (!(modules > 0 && modules <= mostModules)) {
    throw new Error(
      `import "${manifest.name}" loads ${modules} modules of other packages, expected at most ${mostModules}: import subpaths (@effect/platform/FileSystem) in the place of barrels`
    )
  }
}

/**
 * The lines of README.md that install Holter, tried with this tarball: npm refuses what does not fit
 * together (ERESOLVE), as the newest of some Effect packages is for Effect 4.
 */
const installLines = (/** @type {string} */ tarball) => {
  const readme = readFileSync(path.join(root, "README.md"), "utf8")
  const lines = readme.match(/^npm install (?!.*run).*$/gm) ?? []
  if (lines.length === 0) throw new Error("README.md has no line that begins with npm install")
  const project = path.join(work, "project")
  mkdirSync(project)
  writeFileSync(path.join(project, "package.json"), "{}")
  const quick = ["--fetch-retries=0", "--fetch-timeout=10000"]
  try {
    run("npm", ["ping", ...quick], project)
  } catch {
    console.log("      not tried: the registry cannot be reached")
    return
  }
  for (const line of lines) {
    const words = line.replace(/#.*/, "").trim().split(/\s+/).slice(1)
    const given = words.map((word) => (word === manifest.name ? tarball : word))
    const plan = ["--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund"]
    run("npm", [...given, ...plan], project)
  }
  const lock = JSON.parse(readFileSync(path.join(project, "package-lock.json"), "utf8"))
  const twice = Object.keys(lock.packages).filter((place) =>
    /node_modules\/.*node_modules\/(effect|better-sqlite3)$/.test(place)
  )
  if (twice.length > 0) throw new Error(`a second copy is installed: ${twice.join(", ")}`)
}

let failed = false
const step = (/** @type {string} */ name, /** @type {() => unknown} */ check) => {
  try {
    check()
    console.log(`ok    ${name}`)
  } catch (error) {
    failed = true
    const { stdout = "", stderr = "" } = /** @type {{ stdout?: string, stderr?: string }} */ (error)
    console.log(`FAIL  ${name}\n${stdout}${stderr}${`${stdout}${stderr}` === "" ? error : ""}`)
  }
}

try {
  const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", work]
  const tarball = path.join(work, JSON.parse(run("npm", pack, root))[0].filename)
  step("publint", () => run(bin("publint"), ["run", tarball, "--strict"], root))
  step("attw", () => {
    const options = ["--profile", "esm-only", "--no-definitely-typed", "--format", "ascii"]
    return run(bin("attw"), [tarball, ...options, "--entrypoints", ...subpaths], root)
  })
  step("lines that install it", () => installLines(tarball))
  install(tarball)
  step("a user's Node", load)
  step("modules that a bot loads", count)
  step("a user's compiler", compile)
  step("a user's declarations", declare)
} finally {
  rmSync(work, { recursive: true, force: true })
}
process.exitCode = failed ? 1 : 0
