#!/usr/bin/env node
"use strict"
// Most of the time of a short command goes into compiling JavaScript. V8 can keep what it compiled;
// this file loads the bundle with that, and stays small because nothing keeps it for itself.
const fs = require("node:fs")
const { join } = require("node:path")

const version = "__VERSION__"
const args = process.argv.slice(2)

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
  // The optimising compiler takes longer for the HTTP parser's WebAssembly than a check lasts.
  require("node:v8").setFlagsFromString("--liftoff-only")
  const unkept = []
  load("cli.cjs", unkept)
  // Only after a whole run is there anything worth keeping: what was never called is not compiled.
  if (process.env.HOLTER_CODE_CACHE !== "off") {
    process.once("exit", () => {
      for (const { places, script } of unkept) keep(script, places)
    })
  }
}

/** A part of the bundle, compiled with its code cache. */
function load(name, unkept) {
  const filename = join(__dirname, name)
  // The bundle is ASCII, and one byte a character is what V8 reads fastest.
  const source = fs.readFileSync(filename, "latin1")
  const cacheName = `${name}.${version}-${process.version}-${process.arch}-${source.length}.cache`
  const places = [__dirname, userCache()].filter(Boolean).map((folder) => join(folder, cacheName))
  const cachedData = firstOwn(places)
  const vm = require("node:vm")
  const script = new vm.Script(require("node:module").wrap(source), { filename, cachedData })
  if (cachedData === undefined || script.cachedDataRejected === true) {
    unkept.push({ script, places })
  }
  const own = { exports: {} }
  const requirePart = (id) => (id.startsWith("./driver-") ? load(id.slice(2), unkept) : require(id))
  script.runInThisContext()(own.exports, requirePart, own, filename, __dirname)
  return own.exports
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
    try {
      const { mode, uid } = fs.statSync(place)
      const trusted = uid === 0 || uid === process.getuid()
      if (!trusted || (mode & 0o022) !== 0) continue
      const bytes = fs.readFileSync(place)
      const data = bytes.subarray(0, -4)
      if (require("node:zlib").crc32(data) === bytes.readUInt32LE(data.length)) return data
    } catch {
      // Not there, then the next.
    }
  }
  return undefined
}

function keep(script, places) {
  for (const place of places) {
    try {
      fs.mkdirSync(join(place, ".."), { recursive: true, mode: 0o700 })
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
