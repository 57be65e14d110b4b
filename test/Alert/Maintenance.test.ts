import { assert, describe, it } from "@effect/vitest"
import { DateTime, Either, FastCheck as fc, Option } from "effect"
import { formatIssue } from "../../src/Check/CheckError.js"
import * as Maintenance from "../../src/Alert/Maintenance.js"

const window = (settings: Maintenance.Settings) => Either.getOrThrow(Maintenance.make(settings))

const isOpen = (settings: Maintenance.Settings, time: string) =>
  Option.isSome(window(settings).openAt(DateTime.unsafeMake(time)))

const problems = (settings: Maintenance.Settings) =>
  Either.match(Maintenance.make(settings, ["maintenance", "0"], ["redis"]), {
    onLeft: (issues) => issues.map(formatIssue),
    onRight: () => []
  })

const nightly: Maintenance.Settings = {
  name: "backup",
  schedule: "0 3 * * *",
  duration: "1 hour",
  timeZone: "Europe/Berlin"
}

describe("a maintenance window", () => {
  it("is open once, from its first moment up to its last", () => {
    const once = { name: "move", from: "2026-05-01T22:00:00Z", until: "2026-05-01T23:00:00Z" }
    assert.isFalse(isOpen(once, "2026-05-01T21:59:59.999Z"))
    assert.isTrue(isOpen(once, "2026-05-01T22:00:00Z"))
    assert.isTrue(isOpen(once, "2026-05-01T22:59:59.999Z"))
    assert.isFalse(isOpen(once, "2026-05-01T23:00:00Z"))
  })

  it("is open by cron, in its time zone, in summer and in winter", () => {
    assert.isFalse(isOpen(nightly, "2026-07-01T00:59:59.999Z"))
    assert.isTrue(isOpen(nightly, "2026-07-01T01:00:00Z"))
    assert.isTrue(isOpen(nightly, "2026-07-01T01:00:00.500Z"))
    assert.isTrue(isOpen(nightly, "2026-07-01T01:59:59.999Z"))
    assert.isFalse(isOpen(nightly, "2026-07-01T02:00:00Z"))
    assert.isTrue(isOpen(nightly, "2026-12-01T02:30:00Z"))
    assert.isFalse(isOpen(nightly, "2026-12-01T01:30:00Z"))
  })

  it("says when it next opens or closes", () => {
    const next = (time: string) =>
      Option.getOrUndefined(
        Option.map(window(nightly).nextChange(DateTime.unsafeMake(time)), DateTime.formatIso)
      )
    assert.strictEqual(next("2026-07-01T00:00:00Z"), "2026-07-01T01:00:00.000Z")
    assert.strictEqual(next("2026-07-01T01:00:00Z"), "2026-07-01T02:00:00.000Z")
    assert.strictEqual(next("2026-07-01T02:00:00Z"), "2026-07-02T01:00:00.000Z")
  })

  it("does not change between two changes", () => {
    const start = DateTime.unsafeMake("2026-03-20T00:00:00Z")
    const times = fc.integer({ min: 0, max: 20 * 86_400_000 })
    const share = fc.double({ min: 0, max: 0.999, noNaN: true })
    fc.assert(
      fc.property(times, share, (offset, part) => {
        const time = DateTime.add(start, { millis: offset })
        const { nextChange, openAt } = window(nightly)
        const change = Option.getOrThrow(nextChange(time))
        const between = DateTime.add(time, {
          millis: Math.floor(DateTime.distance(time, change) * part)
        })
        assert.isAbove(DateTime.distance(time, change), 0)
        assert.strictEqual(Option.isSome(openAt(between)), Option.isSome(openAt(time)))
      }),
      { numRuns: 300 }
    )
  })

  it("becomes events for the policy, once for each opening and each end", () => {
    const windows = [window(nightly)]
    const opens = DateTime.unsafeMake("2026-07-01T01:00:00Z")
    const [started] = Maintenance.events(windows, new Set(), opens)
    assert.deepInclude(started, {
      _tag: "MaintenanceStarted",
      id: "window:backup",
      services: null,
      why: "backup",
      until: opens.epochMillis + 3_600_000
    })
    const known = new Set(["window:backup", "by hand"])
    assert.deepStrictEqual(Maintenance.events(windows, known, opens), [])
    const closed = DateTime.add(opens, { hours: 1 })
    assert.deepStrictEqual(Maintenance.events(windows, known, closed), [
      { _tag: "MaintenanceEnded", at: closed.epochMillis, id: "window:backup" }
    ])
  })

  it("tells everything that is wrong with it at once", () => {
    assert.deepStrictEqual(
      problems({
        name: "x",
        services: ["redsi"],
        schedule: "0 25 * * *",
        timeZone: "Europe/Berlinn"
      }).map((line) => line.split(": expected")[0]),
      [
        "maintenance.0.services.0",
        "maintenance.0.schedule",
        "maintenance.0.timeZone",
        "maintenance.0.duration"
      ]
    )
    assert.include(problems({ name: "x" })[0], "maintenance.0.from: expected a time such as")
    assert.include(
      problems({ name: "x", from: "2026-05-01", until: "2026-04-01" })[0],
      "maintenance.0.until: expected a time after `from`"
    )
  })

  it("is refused for a day that no year has", () => {
    assert.include(
      problems({ name: "x", schedule: "0 0 30 2 *", duration: "1 hour" })[0],
      "times that exist"
    )
  })
})
