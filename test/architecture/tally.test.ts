/** `npm test` counts no failure, skip or run of nothing as success. */
import { assert, describe, it } from "@effect/vitest"
import * as Tally from "../../scripts/tally.mjs"

const file = (status: string, ...statuses: ReadonlyArray<string>) => ({
  name: "test/a.test.ts",
  status,
  assertionResults: statuses.map((status, index) => ({
    status,
    title: `test ${index}`,
    ancestorTitles: ["suite"]
  }))
})
const report = (...testResults: ReadonlyArray<ReturnType<typeof file>>) => ({ testResults })
const counts = ({ passed, failed, skipped }: Tally.Tally) => [passed, failed, skipped.length]

describe("vitest's report", () => {
  const cases: ReadonlyArray<
    readonly [
      name: string,
      report: Tally.VitestReport | undefined,
      code: number,
      counts: Array<number>
    ]
  > = [
    ["all passed", report(file("passed", "passed", "passed")), 0, [2, 0, 0]],
    ["one failed", report(file("failed", "passed", "failed")), 1, [1, 1, 0]],
    ["skipped and todo", report(file("passed", "passed", "skipped", "todo")), 0, [1, 0, 2]],
    ["a file that does not load", report(file("failed")), 1, [0, 1, 0]],
    ["a beforeAll that fails", report(file("failed", "skipped", "passed")), 1, [1, 1, 1]],
    ["an unhandled error beside passed tests", report(file("passed", "passed")), 1, [1, 1, 0]],
    ["no tests", report(), 0, [0, 1, 0]],
    ["no report", undefined, 0, [0, 1, 0]]
  ]

  it.each(cases)("%s", (_, report, code, expected) => {
    assert.deepStrictEqual(counts(Tally.ofVitest(report, code)), expected)
  })
})

describe("type tests", () => {
  it("are the expectations that tsc did not find unused", () => {
    assert.deepStrictEqual(counts(Tally.ofTypeTests(5, 0)), [5, 0, 0])
    assert.deepStrictEqual(counts(Tally.ofTypeTests(5, 2)), [3, 2, 0])
  })

  it("fail when there are none", () => {
    assert.deepStrictEqual(counts(Tally.ofTypeTests(0, 0)), [0, 1, 0])
  })
})

describe("the sum", () => {
  const tally = (passed: number, failed: number, ...skipped: ReadonlyArray<string>) => ({
    passed,
    failed,
    skipped
  })

  it("is one line", () => {
    assert.strictEqual(Tally.line(tally(3, 0)), "3 passed, 0 failed")
    assert.strictEqual(Tally.line(tally(3, 1, "a", "b")), "3 passed, 1 failed, 2 skipped")
  })

  it("names each skipped suite once", () => {
    const suites = Tally.skippedSuites(tally(0, 0, "redis", "redis", "postgres"))
    assert.deepStrictEqual(suites, ["redis (2 tests)", "postgres (1 test)"])
  })

  it("is a failure when something failed, when nothing ran, and in CI when something was skipped", () => {
    const elsewhere = [tally(3, 0), tally(3, 1), tally(0, 0), tally(3, 0, "a")]
    assert.deepStrictEqual(
      elsewhere.map((sum) => Tally.exitCode(sum, false)),
      [0, 1, 1, 0]
    )
    assert.deepStrictEqual(
      elsewhere.map((sum) => Tally.exitCode(sum, true)),
      [0, 1, 1, 1]
    )
  })
})
