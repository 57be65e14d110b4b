import { assert, describe, it } from "@effect/vitest"
import { DateTime, Duration } from "effect"
import type { CheckResult, Status } from "../../src/Check/CheckResult.js"
import type { Look } from "../../src/Cli/Output.js"
import * as Presentation from "../../src/Cli/Presentation.js"
import type { StatusSummary } from "../../src/Monitor/StatusSummary.js"

const emoji: Look = { emoji: true, color: true }
const ascii: Look = { emoji: false, color: false }

const result = (status: Status, message: string, note?: string): CheckResult => ({
  service: "x",
  status,
  message,
  note,
  responseTime: Duration.millis(1),
  lastCheck: DateTime.unsafeMake(0),
  details: {},
  reason: undefined,
  retryAfter: undefined
})

const summary = (
  overall_status: Status,
  services: Readonly<Record<string, Status>> = {}
): StatusSummary => ({
  overall_status,
  timestamp: "2025-12-11T23:00:00.000Z",
  services: Object.fromEntries(
    Object.entries(services).map(([name, status]) => [
      name,
      { status, response_time_ms: 1, message: `${name} message`, last_check: null, details: {} }
    ])
  ),
  failure_counts: {},
  success_counts: {}
})

/** The sample of the issue, to the byte. */
const sample = `============================================================
DMarket Bot - Health Check
============================================================

🔍 Checking Telegram API...
  ✅ Telegram API accessible (@dmarket_bot)
🔍 Checking DMarket API...
  ✅ DMarket API accessible (Balance: $100.00)
🔍 Checking database...
  ✅ Database accessible (sqlite)
ℹ️  Redis not configured (optional)

============================================================
✅ All health checks passed!
============================================================
`

const page = (look: Look) => {
  const checked = (label: string, note: string) => [
    Presentation.checking(label, look),
    Presentation.result(result("healthy", "never shown", note), label, look)
  ]
  return [
    ...Presentation.header("DMarket Bot"),
    ...checked("Telegram API", "@dmarket_bot"),
    ...checked("DMarket API", "Balance: $100.00"),
    ...checked("database", "sqlite"),
    Presentation.notConfigured("Redis", look),
    ...Presentation.footer(summary("healthy"), look)
  ]
    .map((line) => `${line}\n`)
    .join("")
}

describe("Presentation", () => {
  it("is the agreed page", () => {
    assert.strictEqual(page(emoji), sample)
  })

  it("is plain ASCII where emoji do not show", () => {
    assert.strictEqual(
      page(ascii),
      sample.replaceAll("🔍 ", "").replaceAll("✅", "[ok]").replace("ℹ️  ", "[info] ")
    )

    assert.match(page(ascii), /^[\n\x20-\x7e]*$/)
  })

  it("colours the words where emoji do not show and colour does", () => {
    const coloured: Look = { emoji: false, color: true }
    const line = (status: Status) =>
      Presentation.result(result(status, "Redis: text"), "Redis", coloured)
    assert.strictEqual(line("healthy"), "  \u001b[32m[ok]\u001b[0m Redis: text")
    assert.strictEqual(line("degraded"), "  \u001b[33m[degraded]\u001b[0m Redis: text")
    assert.strictEqual(line("unhealthy"), "  \u001b[31m[unhealthy]\u001b[0m Redis: text")
    assert.notInclude(page(emoji), "\u001b")
  })

  it("shows the message of what is not healthy, with the service's name once", () => {
    const line = (status: Status, message: string) =>
      Presentation.result(result(status, message, "note"), "database", emoji)
    assert.strictEqual(line("unhealthy", "No answer"), "  ❌ Database: No answer")
    assert.strictEqual(line("unhealthy", "The database is gone"), "  ❌ The database is gone")
    assert.strictEqual(line("degraded", "Slow"), "  ⚠️  Database: Slow")
  })

  it("shows the message of what is healthy and has no note", () => {
    const line = Presentation.result(result("healthy", "Port open"), "gateway", emoji)
    assert.strictEqual(line, "  ✅ Port open")
  })

  it("says of what is configured and not known what its message says", () => {
    const unknown = result("unknown", "Nothing was measured yet")
    const line = Presentation.result(unknown, "event loop", emoji)
    assert.strictEqual(line, "  ❔ Event loop: Nothing was measured yet")
  })

  it("keeps a message on its line, and lets no service write to the terminal", () => {
    const line = Presentation.result(
      result("unhealthy", "a\nb\r\u001b[2Jc\u009b1mtext"),
      "Redis",
      emoji
    )

    assert.notMatch(line, /[\u0000-\u001f\u007f-\u009f]/)
    assert.include(line, "a b")
  })

  it("has a verdict for every status", () => {
    const all = { telegram_api: "healthy", database: "unhealthy", redis: "degraded" } as const
    const verdict = (status: Status, services: Readonly<Record<string, Status>> = {}) =>
      Presentation.verdict(summary(status, services))
    assert.strictEqual(verdict("healthy"), "All health checks passed!")
    assert.strictEqual(verdict("degraded", { redis: "degraded" }), "Degraded: redis")
    assert.strictEqual(verdict("degraded", all), "Degraded: database, redis")
    assert.strictEqual(verdict("unhealthy", all), "Unhealthy: database (degraded: redis)")
    assert.strictEqual(verdict("unhealthy", { a: "unhealthy", b: "unhealthy" }), "Unhealthy: a, b")
    assert.strictEqual(verdict("unknown"), "Nothing is known: no service is configured")
    assert.deepStrictEqual(
      (["degraded", "unhealthy", "unknown"] as const).map((status) =>
        Presentation.footer(summary(status), emoji)[2]?.slice(0, 2).trim()
      ),
      ["⚠️", "❌", "❔"]
    )
  })

  it("lists the problems, and only these", () => {
    const lines = Presentation.problems(
      summary("unhealthy", { a: "healthy", b: "unhealthy", c: "degraded", d: "unknown" })
    )
    assert.deepStrictEqual(lines, ["b is unhealthy: b message", "c is degraded: c message"])
  })
})
