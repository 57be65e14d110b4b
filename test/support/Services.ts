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
  describeWith(services, name, { concurrent: false }, body)
}

/** The same for tests that run beside each other: each has servers and processes of its own. */
export const describeConcurrentWithServices: typeof describeWithServices = (
  services,
  name,
  body
) => {
  describeWith(services, name, { concurrent: true }, body)
}

const describeWith = (
  services: Binaries.Service | ReadonlyArray<Binaries.Service>,
  name: string,
  options: { readonly concurrent: boolean },
  body: () => void
): void => {
  const wanted = typeof services === "string" ? [services] : services
  const run = TestRun.currentSync()
  const missing = run === undefined ? [] : Binaries.missing(run.binaries, wanted)
  if (run !== undefined && missing.length > 0) {
    appendFileSync(TestRun.skippedFile(run), `${name} (no ${missing.join(", no ")})\n`)
  }
  // eslint-disable-next-line no-restricted-syntax -- the one place that may, and it tells the run.
  describe.skipIf(missing.length > 0)(name, options, body)
}
