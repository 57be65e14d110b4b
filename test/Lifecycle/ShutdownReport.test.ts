import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc, Schema } from "effect"
import * as ShutdownReport from "../../src/Lifecycle/ShutdownReport.js"

const entry = (over: Partial<ShutdownReport.Entry> = {}): ShutdownReport.Entry => ({
  phase: "bot",
  hook: "telegram",
  started_ms: 0,
  took_ms: 10,
  limit_ms: 2000,
  ended: "completed",
  notes: [],
  ...over
})

const report = (
  entries: ReadonlyArray<ShutdownReport.Entry>,
  over: Partial<ShutdownReport.ShutdownReport> = {}
): ShutdownReport.ShutdownReport => ({
  reason: "SIGTERM",
  requested_at: Schema.decodeSync(Schema.DateTimeUtc)("2026-01-02T03:04:05.678Z"),
  grace_ms: 30_000,
  took_ms: 400,
  entries,
  ...over
})

describe("the exit code", () => {
  it("is 0 when every hook completed, 1 when one did not, 70 after a fault", () => {
    for (const ended of ShutdownReport.Ended.literals) {
      const code = ShutdownReport.exitCode(report([entry(), entry({ ended })]))
      assert.strictEqual(code, ended === "completed" ? 0 : 1, ended)
    }
    assert.strictEqual(ShutdownReport.exitCode(report([])), 0)
    assert.strictEqual(ShutdownReport.exitCode(report([entry()], { fault: "Error: x" })), 70)
  })
})

describe("the report", () => {
  it("is a waterfall", () => {
    const text = ShutdownReport.text(
      report(
        [
          entry({ phase: "intake", hook: "http server", took_ms: 100 }),
          entry({ started_ms: 100, took_ms: 200, ended: "overran", limit_ms: 200 }),
          entry({ started_ms: 300, took_ms: 100, ended: "failed", message: "Error: no route" }),
          entry({
            phase: "database",
            hook: "sqlite",
            started_ms: 400,
            took_ms: 0,
            notes: ["closed"]
          })
        ],
        { fault: "unhandledRejection: Error: x", phase: "database" }
      )
    )
    assert.deepStrictEqual(text.split("\n"), [
      "shutdown by SIGTERM: 400 ms of 30 s, in phase database",
      "  fault: unhandledRejection: Error: x",
      "  intake    http server  |=====               |    100 ms  completed",
      "  bot       telegram     |     ==========     |    200 ms  overran 200 ms",
      "  bot       telegram     |               =====|    100 ms  failed  Error: no route",
      "  database  sqlite       |                   =|      0 ms  completed",
      "            closed"
    ])
  })

  it("is one line where all went well, with what the hooks have to tell", () => {
    const quiet = entry({ phase: "intake", hook: "http server" })
    const telling = entry({ phase: "drain", hook: "requests", notes: ["waited for 3", "all done"] })
    assert.strictEqual(
      ShutdownReport.brief(report([quiet, telling])),
      "shutdown by SIGTERM: 400 ms of 30 s, 2 hooks completed (requests: waited for 3; requests: all done)"
    )
    assert.strictEqual(
      ShutdownReport.brief(report([quiet])),
      "shutdown by SIGTERM: 400 ms of 30 s, 1 hook completed"
    )
    assert.strictEqual(ShutdownReport.brief(report([])), "shutdown by SIGTERM: 400 ms of 30 s")
    for (const wrong of [
      report([quiet, entry({ ended: "overran" })]),
      report([quiet, entry({ ended: "skipped" })]),
      report([quiet], { fault: "uncaughtException: Error: x" })
    ]) {
      assert.strictEqual(ShutdownReport.brief(wrong), ShutdownReport.text(wrong))
    }
  })

  it("keeps its bars within their frame, whatever the times", () => {
    // As the ledger rounds them.
    const time = fc.nat(10_000_000).map((tenths) => tenths / 10)
    fc.assert(
      fc.property(time, time, time, (started_ms, took_ms, whole) => {
        const text = ShutdownReport.text(
          report([entry({ started_ms, took_ms })], { took_ms: whole })
        )
        assert.match(text, /\|(?=.{20}\|) *=+ *\|/)
      })
    )
  })

  it("is JSON with stable names", () => {
    const json = ShutdownReport.json(report([entry({ notes: ["3 left"] })]))
    assert.deepStrictEqual(JSON.parse(json), {
      reason: "SIGTERM",
      requested_at: "2026-01-02T03:04:05.678Z",
      grace_ms: 30_000,
      took_ms: 400,
      entries: [
        {
          phase: "bot",
          hook: "telegram",
          started_ms: 0,
          took_ms: 10,
          limit_ms: 2000,
          ended: "completed",
          notes: ["3 left"]
        }
      ]
    })
  })

  it("names what still runs", () => {
    const running = entry({ hook: "sqlite", ended: "running" })
    assert.deepStrictEqual(ShutdownReport.running(report([entry(), running])), [running])
  })
})
