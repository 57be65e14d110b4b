/**
 * vitest's globalSetup: finds the server binaries, installs them where it may, and prepares the
 * run. Nothing is skipped in silence: a missing binary fails the run with the line to type,
 * unless HOLTER_TEST_SERVICES=skip was asked for, and never in CI.
 */
import * as Effect from "effect/Effect"
import { readFileSync } from "node:fs"
import * as Binaries from "./Binaries.js"
import { ensureBuilt } from "./built.js"
import { canInstall, install, installLine } from "./Install.js"
import * as TestRun from "./TestRun.js"

export default async function setup(): Promise<() => Promise<void>> {
  ensureBuilt(process.argv.slice(2))
  const prepared = await TestRun.prepare(await binaries())
  return async () => {
    const skipped = readSkipped(TestRun.skippedFile(prepared.run))
    await prepared.dispose()
    for (const line of skipped) process.stderr.write(`skipped: ${line}\n`)
  }
}

const binaries = async (): Promise<Binaries.Binaries> => {
  const skip = process.env.HOLTER_TEST_SERVICES === "skip"
  if (skip && inCi()) {
    throw new Error("HOLTER_TEST_SERVICES=skip is refused in CI: nothing may be skipped there")
  }
  const found = Binaries.find()
  const missing = Binaries.missing(found, ["postgres", "redis"])
  if (missing.length === 0 || skip) return found
  const advice =
    `${missing.join(" and ")} not found. Type\n\n    ${installLine(missing)}\n\n` +
    "or set HOLTER_TEST_SERVICES=skip to go without the suites that need them."
  if (!canInstall()) throw new Error(advice)
  process.stderr.write(`test support: installing ${missing.join(" and ")}\n`)
  // eslint-disable-next-line no-restricted-syntax -- vitest awaits a promise here, and no test.
  await Effect.runPromise(install(missing))
  const installed = Binaries.find()
  if (Binaries.missing(installed, missing).length > 0) throw new Error(advice)
  return installed
}

const inCi = (): boolean => !["", "0", "false"].includes(process.env.CI ?? "")

const readSkipped = (file: string): ReadonlyArray<string> => {
  try {
    return [
      ...new Set(
        readFileSync(file, "utf8")
          .split("\n")
          .filter((line) => line !== "")
      )
    ]
  } catch {
    return []
  }
}
