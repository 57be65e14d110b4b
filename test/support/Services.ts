/** Suites that need a real server: run where its binary is, otherwise skipped, by name. */
import { describe } from "@effect/vitest"
import { appendFileSync } from "node:fs"
import * as Binaries from "./Binaries.js"
import * as TestRun from "./TestRun.js"

/**
 * `describe` for a suite that needs these servers. `globalSetup` has failed already where a
 * binary is missing and skipping was not asked for.
 *
 * @example
 * describeWithServices("postgres", "Database on PostgreSQL", () => { ... })
 */
export const describeWithServices = (
  services: Binaries.Service | ReadonlyArray<Binaries.Service>,
  name: string,
  body: () => void
): void => {
  const wanted = typeof services === "string" ? [services] : services
  const run = TestRun.currentSync()
  const missing = run === undefined ? [] : Binaries.missing(run.binaries, wanted)
  if (run !== undefined && missing.length > 0) {
    appendFileSync(TestRun.skippedFile(run), `${name} (no ${missing.join(", no ")})\n`)
  }
  // eslint-disable-next-line no-restricted-syntax -- the one place that may, and it tells the run.
  describe.skipIf(missing.length > 0)(name, body)
}
