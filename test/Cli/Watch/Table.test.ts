import { assert, describe, it } from "@effect/vitest"
import * as WallTime from "../../../src/Common/WallTime.js"
import { FastCheck as fc } from "effect"
import { stripVTControlCharacters } from "node:util"
import type { Status } from "../../../src/Check/CheckResult.js"
import type { Look } from "../../../src/Cli/Output.js"
import * as WatchState from "../../../src/Cli/Watch/WatchState.js"
import * as Table from "../../../src/Cli/Watch/Table.js"
import { width } from "../../../src/Cli/Columns.js"

const look: Look = { emoji: true, color: false }
const size = { columns: 100, rows: 24 }
const start = Date.UTC(2025, 11, 11, 20, 0, 0)

const sample = (
  service: string,
  status: Status,
  seconds: number,
  millis = 4,
  message = `${service} is ${status}`
): WatchState.Sample => ({
  at: start + seconds * 1000,
  service,
  status,
  message,
  response_time_ms: millis
})

const watched = (name: string, label = name): WatchState.Watched => ({
  name,
  label,
  critical: true
})

const board = (samples: ReadonlyArray<WatchState.Sample>): WatchState.WatchState =>
  samples.reduce(
    WatchState.checked,
    WatchState.make({
      name: "Price Bot",
      checks: [watched("database"), watched("redis", "Redis")],
      notConfigured: [],
      zone: WallTime.utc
    })
  )

const openIncident = {
  id: "redis-1",
  severity: "unhealthy",
  cause: "failures",
  since: start,
  opened: start,
  previous: "healthy",
  told: {},
  names: {},
  standIns: {},
  held: [],
  messages: 0,
  reminders: 0,
  remindAt: null,
  flapping: null
} as const

const up = board([
  sample("database", "healthy", 0),
  sample("redis", "healthy", 0, 1),
  sample("redis", "healthy", 30, 1),
  sample("redis", "unhealthy", 60, 2, "Redis refused the connection")
])

describe("the table", () => {
  it("has a row for each service, with its beats and since when", () => {
    assert.deepStrictEqual(Table.lines(up, size, look, start + 125_000), [
      "Price Bot                                                                   2025-12-11 20:02:05 UTC",
      "",
      "STATUS        SERVICE   SINCE  RESPONSE  BEATS                 MESSAGE",
      "❌ unhealthy  Redis     1m 5s      2 ms  ▄▄x                   Redis refused the connection",
      "✅ healthy    database  2m 5s      4 ms  ▄                     database is healthy",
      "",
      "❌ Unhealthy: redis"
    ])
  })

  it("says what is not known yet, and what nobody configured", () => {
    const fresh = WatchState.make({
      name: "Price Bot",
      checks: [watched("redis", "Redis")],
      notConfigured: ["DMarket API"],
      zone: WallTime.utc
    })
    const lines = Table.lines(fresh, size, look, start)
    assert.include(lines[3], "❔ unknown    Redis    -             -")
    assert.deepStrictEqual(lines.slice(-2), [
      "❔ Nothing is known yet",
      "Not configured: DMarket API"
    ])
  })

  it("leaves out the word of the status, then beats, on a narrow terminal", () => {
    const at = (columns: number) => Table.lines(up, { columns, rows: 24 }, look, start + 125_000)
    assert.include(at(80)[3], "❌ unhealthy  Redis")
    assert.include(at(80)[3], "▄▄x")
    assert.match(at(60)[3] ?? "", /^❌ {2}Redis .*▄▄x/)
    assert.notInclude(at(50)[3], "▄▄x")
    assert.match(at(50)[3] ?? "", /^❌ {2}Redis +1m 5s {2}Redis refused the conn/)
  })

  it("shows plain characters where emoji do not, and colour only where it does", () => {
    const plain = Table.lines(up, size, { emoji: false, color: false }, start + 125_000)
    assert.include(plain[3], "X unhealthy  Redis     1m 5s      2 ms  ..x")
    const coloured = Table.lines(up, size, { emoji: true, color: true }, start + 125_000)
    assert.include(coloured[3], "\u001b[31m❌ unhealthy\u001b[0m")
    assert.deepStrictEqual(
      coloured.map(stripVTControlCharacters),
      Table.lines(up, size, look, start + 125_000)
    )
  })

  it("shows on a low terminal what needs somebody, and counts the rest", () => {
    const names = Array.from({ length: 20 }, (_, index) => `service${index}`)
    const many = names.reduce(
      (before, name, index) =>
        WatchState.checked(before, sample(name, index === 17 ? "unhealthy" : "healthy", 0)),
      WatchState.make({
        name: "Bot",
        checks: names.map((name) => watched(name)),
        notConfigured: [],
        zone: WallTime.utc
      })
    )
    const lines = Table.lines(many, { columns: 100, rows: 12 }, look, start)
    assert.isAtMost(lines.length, 11)
    assert.isTrue(lines.some((line) => line.includes("❌ unhealthy  service17")))
    // No line is empty while services wait.
    assert.include(lines, "and 13 healthy")
    assert.notInclude(lines, "")
  })

  const services = (...statuses: ReadonlyArray<Status>) =>
    statuses.reduce(
      (before, status, index) => WatchState.checked(before, sample(`s${index}`, status, 0)),
      WatchState.make({
        name: "Bot",
        checks: statuses.map((_, index) => watched(`s${index}`)),
        notConfigured: [],
        zone: WallTime.utc
      })
    )

  it("has the worst first, and of one status those that the configuration has first", () => {
    const mixed = services("healthy", "unknown", "degraded", "unhealthy", "degraded", "healthy")
    const order = (one: WatchState.WatchState) =>
      Table.lines(one, size, look, start).flatMap((line) => /s\d(?=  )/.exec(line)?.[0] ?? [])
    assert.deepStrictEqual(order(mixed), ["s3", "s2", "s4", "s1", "s0", "s5"])
    // What is old is not known.
    assert.deepStrictEqual(order(WatchState.stale(mixed, "s5")), [
      "s3",
      "s2",
      "s4",
      "s1",
      "s5",
      "s0"
    ])
  })

  it("does not call unhealthy what is degraded, or what is not critical", () => {
    const verdict = (one: WatchState.WatchState) => Table.lines(one, size, look, start).at(-1)
    const mixed = services("unhealthy", "degraded", "healthy")
    assert.strictEqual(verdict(mixed), "❌ Unhealthy: s0; degraded: s1")
    const [first, ...rest] = mixed.rows
    if (first === undefined) return assert.fail("no row")
    assert.strictEqual(
      verdict({ ...mixed, rows: [{ ...first, critical: false }, ...rest] }),
      "🟡 Degraded: s0, s1"
    )
    const labelled = { ...first, label: "Session cache" }
    assert.strictEqual(verdict({ ...mixed, rows: [labelled] }), "❌ Unhealthy: Session cache")
  })

  it("gives the lines of a tiny terminal to services", () => {
    const at = (rows: number, one: WatchState.WatchState) =>
      Table.lines(one, { columns: 60, rows }, look, start).map((line) => line.slice(0, 8).trim())
    const two = services("healthy", "unhealthy")
    assert.deepStrictEqual(at(6, two), ["Bot", "SERV", "❌  s1", "✅  s0", "❌ Unheal"])
    const five = services("healthy", "unhealthy", "degraded", "healthy", "healthy")
    assert.deepStrictEqual(at(6, five), ["SERV", "❌  s1", "🟡  s2", "and 3 he", "❌ Unheal"])
    assert.deepStrictEqual(at(3, five), ["and 1 un", "❌ Unheal"])
    const troubled = { ...five, journal: { problem: "down", waiting: 1 } }
    assert.lengthOf(at(6, troubled), 5)
    assert.include(at(6, troubled), "❌  s1")
    assert.strictEqual(at(2, five).length, 1)
  })

  it("keeps room for the message where it is narrow", () => {
    const at = (columns: number) => Table.lines(up, { columns, rows: 24 }, look, start + 125_000)
    const [row = ""] = at(40).filter((line) => line.startsWith("❌  Redis"))
    assert.match(row, /^❌ {2}Redis {5}Redis refused the connec…$/)
    assert.match(
      at(45).find((line) => line.startsWith("❌  Redis")) ?? "",
      /1m 5s {2}Redis refused/
    )
    const long = services("unhealthy")
    const named = { ...long, rows: long.rows.map((one) => ({ ...one, label: "a".repeat(30) })) }
    for (const columns of [40, 50, 60]) {
      const [line = ""] = Table.lines(named, { columns, rows: 24 }, look, start).filter((one) =>
        one.startsWith("❌  a")
      )
      assert.include(line, "s0 is unhealthy", String(columns))
    }
  })

  it("shows at a service that it is silenced, in maintenance, or that somebody has seen it", () => {
    const state = {
      offset: 1000,
      incidents: {
        redis: { ...openIncident, service: "redis", acknowledgedBy: "anna" }
      },
      quiets: [
        { kind: "Silence", id: "a", services: ["redis"], until: start + 61_000, why: "" },
        { kind: "Maintenance", id: "m", services: null, until: null, why: "" }
      ]
    } as const
    const lines = (columns: number) =>
      Table.lines(WatchState.held(up, state), { columns, rows: 24 }, look, start)
    assert.include(
      lines(160)[3],
      "(silenced until 12-11 20:01) (maintenance) (acknowledged by anna) Redis refused"
    )
    assert.include(lines(160)[4], "  (maintenance) database is healthy")
    assert.include(lines(60)[4], "(maintenance)")
  })

  it("has no control characters of a service's answer", () => {
    const nasty = board([sample("redis", "unhealthy", 0, 1, "bad\n\u001b[2Janswer")])
    for (const line of Table.lines(nasty, size, look, start)) assert.notMatch(line, /\p{Cc}/u)
  })

  it("says that a status is old", () => {
    const lines = Table.lines(WatchState.stale(up, "database"), size, look, start)
    assert.include(lines[4], "(stale) database is healthy")
  })

  const backup: WatchState.Backups = {
    next: start + 7_200_000,
    last: { name: "bot_sqlite_20251211_030000_123.db.gz", bytes: 41_000_000, at: start - 60_000 },
    running: undefined,
    problem: undefined
  }

  it("tells of backups, channels and the journal below", () => {
    const troubled: WatchState.WatchState = {
      ...up,
      backup: { ...backup, problem: "The last backup failed: the disk is full" },
      channels: [
        { channel: "ops", waiting: 2, problem: "no answer within 10s", disabled: false },
        { channel: "hook", waiting: 1, problem: "403 Forbidden", disabled: true }
      ],
      journal: { problem: "disk I/O error", waiting: 12 },
      stopping: "wait for pending tasks"
    }
    assert.deepStrictEqual(
      Table.lines(troubled, { ...size, columns: 120 }, look, start).slice(-7),
      [
        "❌ Unhealthy: redis",
        "Next backup 2025-12-11 22:00 UTC, in 2h 0m; last bot_sqlite_20251211_030000_123.db.gz, 41 MB, 1m 0s ago",
        "The last backup failed: the disk is full",
        "Channel ops: 2 alerts wait, no answer within 10s",
        "Channel hook is disabled: 1 alert waits, 403 Forbidden",
        "Journal down, 12 entries wait: disk I/O error",
        "Stopping: wait for pending tasks"
      ]
    )
  })

  it("goes on with the rows of what is as before, when the configuration is another one", () => {
    const next = WatchState.reconfigured(
      up,
      {
        name: "New Bot",
        checks: [watched("redis", "Redis"), watched("database"), watched("shop")],
        notConfigured: ["DMarket API"],
        zone: WallTime.utc
      },
      ["redis", "shop"]
    )
    assert.strictEqual(next.name, "New Bot")
    assert.deepStrictEqual(
      next.rows.map(({ service, status }) => `${service} ${status}`),
      ["redis unknown", "database healthy", "shop unknown"]
    )
    assert.strictEqual(WatchState.row(next, "database"), WatchState.row(up, "database"))
  })

  it("says below of whom nobody is told, until when, and why", () => {
    const quiet: WatchState.WatchState = {
      ...up,
      quiet: [
        {
          kind: "maintenance",
          id: "window:nightly",
          services: null,
          until: "2025-12-11T21:00:00.000Z",
          why: "nightly"
        },
        { kind: "silence", id: "1f2e3d4c", services: ["redis"], until: null, why: "de\nploy" }
      ]
    }
    assert.deepStrictEqual(Table.lines(quiet, { ...size, columns: 120 }, look, start).slice(-2), [
      "No messages about every service: maintenance window:nightly, until 2025-12-11 21:00:00 UTC (nightly)",
      "No messages about redis: silence 1f2e3d4c, until it is ended (de ploy)"
    ])
  })

  it("says what backup is running", () => {
    const running: WatchState.WatchState = {
      ...up,
      backup: { ...backup, running: { what: "A backup", since: start - 5000 } }
    }
    assert.include(
      Table.lines(running, { ...size, columns: 120 }, look, start).at(-1),
      "A backup is running for 5s; last bot_sqlite"
    )
  })

  const anyBoard = fc
    .array(
      fc.record({
        label: fc.string({ unit: "grapheme", minLength: 1 }),
        message: fc.string({ unit: "grapheme" })
      }),
      {
        maxLength: 30
      }
    )
    .map((services) =>
      services.reduce(
        (before, { message }, index) =>
          WatchState.checked(before, sample(`s${index}`, "degraded", 0, 5, message)),
        WatchState.make({
          name: "Bot",
          checks: services.map(({ label }, index) => watched(`s${index}`, label)),
          notConfigured: [],
          zone: WallTime.utc
        })
      )
    )

  it.prop(
    "fits the terminal, whatever its size",
    [anyBoard, fc.nat(200), fc.nat(60)],
    ([one, columns, rows]) => {
      const lines = Table.lines(one, { columns: columns + 1, rows: rows + 1 }, look, start)
      assert.isAtMost(lines.length, Math.max(1, rows))
      for (const line of lines) assert.isAtMost(width(line), columns)
    }
  )
})
