// @ts-check
/**
 * All gates, then all test suites: `npm test`.
 *
 *     npm test -- --only lint,types    some gates (`tests` are the suites)
 *     npm test -- test/Check           the suites whose path has this in it
 *
 * Everything runs even when something failed before. The last line is the sum, and nothing but it.
 */
import { spawn } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { parseArgs } from "node:util"
import { gates } from "./gates.mjs"
import * as Tally from "./tally.mjs"

process.chdir(path.resolve(import.meta.dirname, ".."))
process.env.PATH = `${path.resolve("node_modules/.bin")}${path.delimiter}${process.env.PATH}`

/** All suites together take a third of it on two cores: what takes longer hangs, and is told. */
const patience = 45 * 60_000

/**
 * @param {ReadonlyArray<string>} command
 * @param {"pipe" | "inherit"} stdio `pipe` keeps the output for later
 * @returns {Promise<import("./gates.mjs").Ended>}
 */
const run = ([file = "", ...args], stdio) =>
  new Promise((resolve) => {
    const child = spawn(file, args, {
      stdio: ["ignore", stdio, stdio],
      timeout: patience,
      killSignal: "SIGKILL"
    })
    let output = ""
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text) => (output += text))
    }
    child.on("error", (error) => resolve({ code: 1, output: String(error) }))
    child.on("close", (code, signal) => {
      if (stdio === "inherit" && signal !== null) {
        console.log(`${file} ended by ${signal}: it has ${patience / 60_000} minutes`)
      }
      resolve({ code: code ?? 1, output: signal === null ? output : `${output}\n${signal}` })
    })
  })

const heading = (/** @type {string} */ text) => console.log(`\n== ${text}`)
const indented = (/** @type {string} */ text) => text.trimEnd().replace(/^/gm, "      ")

/** Two gates at a time: the machines that this runs on have two cores. */
const runGates = async (/** @type {ReadonlyArray<import("./gates.mjs").Gate>} */ wanted) => {
  const waiting = [...wanted]
  /** @type {Map<string, Tally.Tally>} */
  const done = new Map()

  const runGate = async (/** @type {import("./gates.mjs").Gate} */ gate) => {
    const started = performance.now()
    const ready = gate.needs === undefined || done.get(gate.needs)?.failed === 0
    const ended = ready
      ? await run(gate.command, "pipe")
      : { code: 1, output: `not run: ${gate.needs} failed` }
    const tally = gate.tally?.(ended) ?? Tally.gate(ended.code === 0)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    console.log(`${tally.failed === 0 ? "ok  " : "FAIL"}  ${gate.name} (${seconds} s)`)
    if (tally.failed > 0) console.log(indented(ended.output || "there was nothing to check"))
    done.set(gate.name, tally)
  }

  const worker = async () => {
    for (;;) {
      const next = waiting.findIndex(({ needs }) => needs === undefined || done.has(needs))
      if (next === -1) return
      const [gate] = waiting.splice(next, 1)
      if (gate !== undefined) await runGate(gate)
    }
  }
  // A gate that waits for another is taken by the worker that ran the other.
  await Promise.all([worker(), worker()])
  return Tally.sum([...done.values()])
}

const runSuites = async (/** @type {ReadonlyArray<string>} */ filters) => {
  const directory = mkdtempSync(path.join(tmpdir(), "holter-test-"))
  const file = path.join(directory, "vitest.json")
  // A line for each suite: where one hangs, the others tell which.
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`]
  const { code } = await run(["vitest", "run", ...reporters, ...filters], "inherit")
  const report = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined
  rmSync(directory, { recursive: true, force: true })
  return Tally.ofVitest(report, code)
}

const names = [...gates.map(({ name }) => name), "tests"]
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: "string" } }
})
const only = values.only?.split(",") ?? (positionals.length > 0 ? ["tests"] : names)
const unknown = only.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  console.error(`no gate ${unknown.join(", ")}: there are ${names.join(", ")}`)
  process.exit(64)
}

const tallies = []
const needed = gates.flatMap(({ name, needs }) => (only.includes(name) ? [needs] : []))
const wanted = gates.filter(({ name }) => only.includes(name) || needed.includes(name))
if (wanted.length > 0) {
  heading("gates")
  tallies.push(await runGates(wanted))
}
if (only.includes("tests")) {
  heading("tests")
  tallies.push(await runSuites(positionals))
}

const total = Tally.sum(tallies)
if (total.skipped.length > 0) {
  heading("skipped")
  for (const suite of Tally.skippedSuites(total)) console.log(suite)
}
heading("sum")
console.log(Tally.line(total))
process.exitCode = Tally.exitCode(total, (process.env.CI ?? "") !== "")
