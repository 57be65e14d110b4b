import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration, FastCheck as fc, Schema } from "effect"
import * as CheckResult from "../../src/Check/CheckResult.js"

const { overall, weigh, worse } = CheckResult

const status = fc.constantFrom(...CheckResult.Status.literals)
const statuses = fc.array(status)

const holds = <A>(arbitrary: fc.Arbitrary<A>, law: (value: A) => boolean) =>
  fc.assert(fc.property(arbitrary, law), { numRuns: 300 })

describe("overall is a fold with laws", () => {
  it("worse is associative", () => {
    holds(
      fc.tuple(status, status, status),
      ([a, b, c]) => worse(worse(a, b), c) === worse(a, worse(b, c))
    )
  })
  it("worse is commutative", () => {
    holds(fc.tuple(status, status), ([a, b]) => worse(a, b) === worse(b, a))
  })
  it("worse is idempotent", () => {
    holds(status, (a) => worse(a, a) === a)
  })
  it("unknown is its neutral element, unhealthy its absorbing one", () => {
    holds(status, (a) => worse(a, "unknown") === a && worse("unknown", a) === a)
    holds(status, (a) => worse(a, "unhealthy") === "unhealthy")
  })
  it("unhealthy > degraded > healthy", () => {
    assert.strictEqual(worse("healthy", "degraded"), "degraded")
    assert.strictEqual(worse("degraded", "unhealthy"), "unhealthy")
    assert.strictEqual(worse("healthy", "unhealthy"), "unhealthy")
  })

  it("overall is independent of order, repetition and grouping", () => {
    holds(fc.tuple(statuses, statuses), ([a, b]) => {
      const all = overall([...a, ...b])
      return (
        all === overall([...b, ...a]) &&
        all === overall([...a, ...b, ...a]) &&
        all === overall([overall(a), overall(b)])
      )
    })
  })
  it("unknown makes nothing worse; all unknown, or nothing, is unknown", () => {
    holds(statuses, (all) => overall(["unknown", ...all]) === overall(all))
    holds(statuses, (all) => (overall(all) === "unknown") === all.every((one) => one === "unknown"))
  })

  it("critical: false makes unhealthy count as degraded and nothing else different", () => {
    holds(status, (a) => weigh(a, true) === a)
    holds(status, (a) => weigh(a, false) === (a === "unhealthy" ? "degraded" : a))
    holds(statuses, (all) => overall(all.map((one) => weigh(one, false))) !== "unhealthy")
  })
})

describe("on the wire", () => {
  const result: CheckResult.CheckResult = {
    service: "database",
    status: "healthy",
    message: "Database connection OK",
    note: "sqlite",
    responseTime: Duration.micros(15_204n),
    lastCheck: DateTime.unsafeMake("2025-12-11T23:00:00.000Z"),
    details: { size_bytes: 3, nested: { list: [1, "a", null, true] } },
    reason: undefined,
    retryAfter: undefined
  }

  it("has exactly the names of the contract", () => {
    assert.deepStrictEqual(CheckResult.toReport(result), {
      status: "healthy",
      response_time_ms: 15.2,
      message: "Database connection OK",
      last_check: "2025-12-11T23:00:00.000Z",
      details: { size_bytes: 3, nested: { list: [1, "a", null, true] } }
    })
  })

  it("comes back from JSON as it went", () => {
    const report = CheckResult.toReport(result)
    const json: unknown = JSON.parse(JSON.stringify(report))
    assert.deepStrictEqual(Schema.decodeUnknownSync(CheckResult.ServiceReport)(json), report)
  })

  it("milliseconds have two decimals", () => {
    holds(fc.nat({ max: 1e9 }), (micros) => {
      const rounded = CheckResult.roundedMillis(Duration.micros(BigInt(micros)))
      return Math.abs(rounded - micros / 1000) <= 0.0051 && String(rounded).length <= 10
    })
  })
})
