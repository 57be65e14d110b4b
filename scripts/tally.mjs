// @ts-check
/**
 * What the runs of the gates and of vitest add up to. Pure, so that test/architecture/tally.test.ts
 * can prove that a failure, a skip or a run of nothing is never counted as success.
 *
 * `skipped` has the name of its suite for each skipped test.
 *
 * @typedef {{ readonly passed: number, readonly failed: number, readonly skipped: ReadonlyArray<string> }} Tally
 * @typedef {{ status: string, title: string, ancestorTitles: ReadonlyArray<string> }} Assertion
 * @typedef {{ name: string, status: string, assertionResults: ReadonlyArray<Assertion> }} TestFile
 * @typedef {{ testResults: ReadonlyArray<TestFile> }} VitestReport
 */
import * as path from "node:path"

/** @type {Tally} */
export const nothing = { passed: 0, failed: 0, skipped: [] }

/** @type {(passed: boolean) => Tally} */
export const gate = (passed) => ({ ...nothing, [passed ? "passed" : "failed"]: 1 })

/** @type {(tallies: ReadonlyArray<Tally>) => Tally} */
export const sum = (tallies) => ({
  passed: tallies.reduce((total, { passed }) => total + passed, 0),
  failed: tallies.reduce((total, { failed }) => total + failed, 0),
  skipped: tallies.flatMap(({ skipped }) => skipped)
})

/**
 * The report of vitest's JSON reporter, `undefined` where it wrote none. An exit code that no failed
 * test explains (an unhandled error, a crashed worker, no test at all) is a failure of its own.
 *
 * @type {(report: VitestReport | undefined, exitCode: number) => Tally}
 */
export const ofVitest = (report, exitCode) => {
  const files = report?.testResults ?? []
  const tests = files.flatMap(({ assertionResults, name }) =>
    assertionResults.map((test) => ({ ...test, file: name }))
  )
  const passed = tests.filter(({ status }) => status === "passed").length
  // A file that fails to load has no tests to count: it counts as one.
  const broken = files.filter(
    ({ status, assertionResults }) =>
      status === "failed" && assertionResults.every((test) => test.status !== "failed")
  ).length
  const failed = tests.filter(({ status }) => status === "failed").length + broken
  const skipped = tests
    .filter(({ status }) => status !== "passed" && status !== "failed")
    .map(
      ({ file, ancestorTitles, title }) =>
        `${path.relative("", file)}: ${ancestorTitles[0] ?? title}`
    )
  const unexplained = failed === 0 && (exitCode !== 0 || passed + skipped.length === 0)
  return { passed, failed: unexplained ? 1 : failed, skipped }
}

/**
 * Type tests are `@ts-expect-error` lines: each passes unless tsc reports it unused. Any other error
 * of tsc in these files is a failure too.
 *
 * @type {(expectations: number, errors: number) => Tally}
 */
export const ofTypeTests = (expectations, errors) =>
  expectations === 0
    ? gate(false)
    : { ...nothing, passed: Math.max(0, expectations - errors), failed: errors }

/** @type {(tally: Tally) => string} */
export const line = ({ passed, failed, skipped }) =>
  `${passed} passed, ${failed} failed${skipped.length > 0 ? `, ${skipped.length} skipped` : ""}`

/**
 * Each skipped suite once.
 *
 * @type {(tally: Tally) => ReadonlyArray<string>}
 */
export const skippedSuites = ({ skipped }) =>
  [...new Set(skipped)].map((suite) => {
    const tests = skipped.filter((name) => name === suite).length
    return `${suite} (${tests} ${tests === 1 ? "test" : "tests"})`
  })

/**
 * In CI a skipped test is a failed run: nobody would look for it.
 *
 * @type {(tally: Tally, ci: boolean) => 0 | 1}
 */
export const exitCode = ({ passed, failed, skipped }, ci) =>
  failed > 0 || passed === 0 || (ci && skipped.length > 0) ? 1 : 0
