import { assert, describe, it } from "@effect/vitest"
import { Duration } from "effect"
import * as FastCheck from "effect/FastCheck"
import * as ProgressLine from "../../../src/Cli/Backup/ProgressLine.js"

const at = (millis: number) => 1_000_000 + millis
const dump = (bytes: number, total: number | undefined = 460_000_000) => ({
  stage: "dump",
  bytes,
  total
})

describe("ProgressLine", () => {
  it("shows the stage at once, and rate and time left once they mean something", () => {
    const first = ProgressLine.next(undefined, dump(1000), at(0), 100)
    assert.strictEqual(first.line, "Reading the database  0 %  1 kB of 460 MB")
    const later = ProgressLine.next(first.state, dump(92_000_000), at(2000), 100)
    assert.strictEqual(later.line, "Reading the database  20 %  92 MB of 460 MB  46 MB/s  8s left")
  })

  it("does without a share where the whole is not known", () => {
    const first = ProgressLine.next(
      undefined,
      { stage: "shuffle", bytes: 0, total: undefined },
      0,
      80
    )
    assert.strictEqual(first.line, "shuffle  0 B")
    const next = { stage: "shuffle", bytes: 3_000_000, total: undefined }
    assert.strictEqual(ProgressLine.next(first.state, next, 1500, 80).line, "shuffle  3 MB  2 MB/s")
  })

  it("starts its clock anew with each stage", () => {
    const dumped = ProgressLine.next(undefined, dump(460_000_000), at(0), 100)
    const verify = { stage: "verify", bytes: 10, total: 100 }
    const begun = ProgressLine.next(dumped.state, verify, at(60_000), 100)
    assert.strictEqual(begun.line, "Verifying  10 %  10 B of 100 B")
  })

  it("is never longer than the terminal is wide, never above 100 %, and not drawn too often", () => {
    const reports = FastCheck.array(
      FastCheck.record({
        stage: FastCheck.constantFrom("dump", "verify", "another"),
        bytes: FastCheck.nat(),
        total: FastCheck.option(FastCheck.nat(), { nil: undefined }),
        after: FastCheck.nat(300)
      })
    )
    FastCheck.assert(
      FastCheck.property(reports, FastCheck.integer({ min: 10, max: 120 }), (all, columns) => {
        let state: ProgressLine.State | undefined
        let now = 0
        let drawn = Number.NEGATIVE_INFINITY
        for (const { after, ...report } of all) {
          now += after
          const isNew = state?.stage !== report.stage
          const isDone = report.total !== undefined && report.bytes >= report.total
          const next = ProgressLine.next(state, report, now, columns)
          state = next.state
          if (next.line === undefined) continue
          assert.isBelow(next.line.length, columns)
          for (const [, share] of next.line.matchAll(/(\d+) %/g))
            assert.isAtMost(Number(share), 100)
          const isFresh = now - drawn < Duration.toMillis(ProgressLine.pause)
          assert.isTrue(isNew || isDone || !isFresh)
          drawn = now
        }
      })
    )
  })
})
