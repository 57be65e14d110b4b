#!/usr/bin/env node
"use strict"
// Most of the time of a short command goes into compiling JavaScript. V8 can keep what it compiled;
// this file loads the bundle with that, and stays small because nothing keeps it for itself.
const fs = require("node:fs")
const { dirname, join } = require("node:path")

const version = "__VERSION__"
/** SHA-256 of each part of the bundle: other code never runs with this code's cache. */
const digests = __DIGESTS__
const args = process.argv.slice(2)
const loadedParts = new Map()
const modules = new Map()

/**
 * A check is over before what these do has paid for itself; a backup or a watch is not. Optimizing is
 * turned off by a limit: where `--no-opt` was once set, Node 22 never again takes what it compiled.
 */
const shortRun =
  "--max-optimized-bytecode-size=0 --no-sparkplug --no-incremental-marking --liftoff-only"
const defaults =
  "--max-optimized-bytecode-size=61440 --sparkplug --incremental-marking --no-liftoff-only --wasm-tier-up --wasm-dynamic-tiering"

if (args.length === 1 && args[0] === "--version") {
  print(version)
} else if (!printHelp()) {
  if (namesPlugins()) {
    // Plugins share one copy of effect and of holter with the command line: nothing is bundled.
    import("./Main.js").catch(fail)
  } else {
    try {
      run()
    } catch (error) {
      fail(error)
    }
  }
}

function fail(error) {
  process.stderr.write(`holter: a fault of the program itself: ${error.message}\n`)
  process.exit(70)
}

/** The pages were printed when the command line was built. */
function printHelp() {
  const last = args.at(-1)
  if (last !== "--help" && last !== "-h") return false
  const page = JSON.parse(readText(join(__dirname, "help.json")) || "{}")[
    args.slice(0, -1).join(" ")
  ]
  if (page === undefined) return false
  const { NO_COLOR, TERM } = process.env
  const color = process.stdout.isTTY && !NO_COLOR && TERM !== "dumb" && TERM !== "linux"
  const { stripVTControlCharacters } = require("node:util")
  print(color ? page : stripVTControlCharacters(page))
  return true
}

function print(text) {
  // A reader that left, as in `holter --help | head -1`, is no fault.
  process.stdout.on("error", () => {})
  process.stdout.write(`${text}\n`)
}

/** Whether the configuration file may name plugins; a wrong yes only costs time. */
function namesPlugins() {
  const flag = args.findIndex((arg) => arg === "--config" || arg === "-c")
  const inline = args.find((arg) => arg.startsWith("--config="))
  const named = inline ? inline.slice(9) : flag >= 0 ? args[flag + 1] : configVariable()
  const files = named ? [named] : ["holter.config.yaml", "holter.config.yml", "holter.config.json"]
  return files.some(
    (file) => /\bplugins\b/.test(readText(file).replaceAll(/^\s*#.*$/gm, "")) && args[0] !== "init"
  )
}

function configVariable() {
  if (process.env.HOLTER_CONFIG) return process.env.HOLTER_CONFIG
  const file = process.env.HOLTER_CONFIG_FILE
  return file ? readText(file).trim() : undefined
}

function readText(file) {
  try {
    return fs.readFileSync(file, "utf8")
  } catch {
    return "" // The command line itself says what is wrong with the file.
  }
}

function run() {
  const parts = []
  void process.stdout // While Node's own code is taken as it was compiled, see withDefaults.
  // effect takes a stack trace while it loads, for which V8 would parse the whole bundle again.
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  load("cli.cjs", parts)
  Error.stackTraceLimit = stackTraceLimit
  // Only after a whole run is there anything worth keeping: what was never called is not compiled.
  if (process.env.HOLTER_CODE_CACHE !== "off") {
    process.once("exit", () => {
      setFlags(defaults)
      if (parts.some(({ known }) => !known)) for (const part of parts) keep(part)
    })
  }
}

/** Each part of the bundle once, as modules are: a driver is asked for by each check that uses it. */
function load(name, parts) {
  const known = loadedParts.get(name)
  if (known !== undefined) return known
  const exports = evaluated(name, parts)
  loadedParts.set(name, exports)
  return exports
}

/** A part of the bundle, compiled with its code cache. */
function evaluated(name, parts) {
  const filename = join(__dirname, name)
  // The bundle is ASCII, and one byte a character is what V8 reads fastest.
  const source = fs.readFileSync(filename, "latin1")
  const cacheName = `${name}.${process.version}-${process.arch}-${digests[name]}.cache`
  const places = [__dirname, userCache()].filter(Boolean).map((folder) => join(folder, cacheName))
  const cachedData = firstOwn(places)
  const script = new (require("node:vm").Script)(source, { filename, cachedData })
  const known = cachedData !== undefined && script.cachedDataRejected !== true
  parts.push({ known, places, script })
  const own = {
    exports: {},
    get url() {
      return require("node:url").pathToFileURL(filename).href
    }
  }
  const requirePart = (id) =>
    withDefaults(() => (id.startsWith("./driver-") ? load(id.slice(2), parts) : require(id)))
  const evaluate = script.runInThisContext()
  setFlags(shortRun)
  evaluate(own.exports, requirePart, own, onUse)
  return own.exports
}

/** What a module of Node exports under the name; some of it Node loads only when it is asked for. */
function onUse(id, name) {
  if (!modules.has(id))
    modules.set(
      id,
      withDefaults(() => require(id))
    )
  const module = modules.get(id)
  const { get } = Object.getOwnPropertyDescriptor(module, name) ?? {}
  return get === undefined ? module[name] : withDefaults(() => module[name])
}

function setFlags(flags) {
  if (args[0] === "check") require("node:v8").setFlagsFromString(flags)
}

/** V8 takes compiled code, Node's own too, only under the flags that it was compiled under. */
function withDefaults(load) {
  setFlags(defaults)
  const loaded = load()
  setFlags(shortRun)
  return loaded
}

function userCache() {
  const { HOME, XDG_CACHE_HOME } = process.env
  const base = XDG_CACHE_HOME || (HOME && join(HOME, ".cache"))
  return base ? join(base, "holter") : undefined
}

/**
 * Compiled code is code: it is taken only from files that nobody else could have written. V8 looks at
 * its head and length only, and runs what a lost disk block left of the rest: so there is a checksum.
 */
function firstOwn(places) {
  for (const place of places) {
    let file
    try {
      file = fs.openSync(place, "r")
      if (!isOwn(fs.fstatSync(file)) || !isOwn(fs.statSync(dirname(place)))) continue
      const bytes = fs.readFileSync(file)
      const data = bytes.subarray(0, -4)
      if (require("node:zlib").crc32(data) === bytes.readUInt32LE(data.length)) return data
    } catch {
      // Not there, then the next.
    } finally {
      if (file !== undefined) fs.closeSync(file)
    }
  }
  return undefined
}

/** Windows has neither of the two; there a profile folder is its user's own by its access list. */
function isOwn({ mode, uid }) {
  if (process.getuid === undefined) return true
  return (uid === 0 || uid === process.getuid()) && (mode & 0o022) === 0
}

function keep({ places, script }) {
  for (const place of places) {
    try {
      fs.mkdirSync(dirname(place), { recursive: true, mode: 0o700 })
      const temporary = `${place}.${process.pid}`
      const data = script.createCachedData()
      const checksum = Buffer.alloc(4)
      checksum.writeUInt32LE(require("node:zlib").crc32(data))
      fs.writeFileSync(temporary, Buffer.concat([data, checksum]), { mode: 0o644, flag: "wx" })
      fs.renameSync(temporary, place)
      return
    } catch {
      // A read-only place; the next one, or none: the cache is only about speed.
    }
  }
}
