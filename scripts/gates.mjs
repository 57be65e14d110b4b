// @ts-check
/**
 * The gates beside the test suites. A gate passes when its command ends with 0; `tally` reads more
 * than that out of its output. Slow ones come first, since two run at a time.
 *
 * @typedef {{ readonly code: number, readonly output: string }} Ended
 * @typedef {object} Gate
 * @property {string} name
 * @property {ReadonlyArray<string>} command the first word is a file of node_modules/.bin or `node`
 * @property {string} [needs] the gate that must have passed before
 * @property {(ended: Ended) => import("./tally.mjs").Tally} [tally]
 */
import { existsSync, readdirSync, readFileSync } from "node:fs"
import * as path from "node:path"
import * as Tally from "./tally.mjs"

const typeTests = path.join("test", "types")

const expectations = () => {
  const files = existsSync(typeTests) ? readdirSync(typeTests, { recursive: true }) : []
  return files
    .map(String)
    .filter((file) => file.endsWith(".test-d.ts"))
    .flatMap(
      (file) => readFileSync(path.join(typeTests, file), "utf8").match(/@ts-expect-error/g) ?? []
    ).length
}

/**
 * One run of tsc is three things: the types, the Effect diagnostics and, by the errors in test/types,
 * the type tests.
 *
 * @type {(ended: Ended) => Tally.Tally}
 */
const ofTypecheck = ({ code, output }) => {
  const errors = output.split("\n").filter((text) => /^\S/.test(text))
  const effect = errors.filter((text) => / effect\(\w+\): /.test(text)).length
  // A crash, or an error of the project itself: nothing else was looked at.
  if (code !== 0 && errors.every((text) => !/^\S.*\(\d+,\d+\): /.test(text))) {
    return Tally.gate(false)
  }
  const inTypeTests = errors.filter((text) => text.startsWith("test/types/")).length
  const explained = effect + inTypeTests > 0 && errors.length === effect + inTypeTests
  return Tally.sum([
    Tally.gate(code === 0 || explained),
    Tally.gate(effect === 0),
    Tally.ofTypeTests(expectations(), inTypeTests)
  ])
}

/** @type {ReadonlyArray<Gate>} */
export const gates = [
  { name: "lint", command: ["eslint", "."] },
  { name: "types", command: ["node", "scripts/typecheck.mjs"], tally: ofTypecheck },
  { name: "build", command: ["npm", "run", "build", "--silent"] },
  { name: "examples in docs", command: ["node", "scripts/checkExamples.mjs"] },
  { name: "words", command: ["node", "scripts/checkWords.mjs"] },
  { name: "unused", command: ["knip", "--no-progress", "--no-config-hints"] },
  {
    name: "imports",
    command: ["depcruise", "--config", ".dependency-cruiser.cjs", "src", "test"]
  },
  {
    name: "format",
    command: ["biome", "format", "--max-diagnostics=5", "--diagnostic-level=error", "."]
  },
  { name: "package", command: ["node", "scripts/checkPackage.mjs"], needs: "build" }
]
