import { assert, describe, it } from "@effect/vitest"
import { DateTime, Either, FastCheck as fc, Option } from "effect"
import { formatIssue } from "../../src/Plugin/ConfigIssue.js"
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

  for (const [schedule, timeZone, opens] of [
    ["30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z"],
    ["30 2 * * 0", "Europe/Berlin", "2026-03-29T01:00:00Z"],
    ["0 2 * * *", "America/New_York", "2026-03-08T07:00:00Z"],
    ["0 0 * * *", "Africa/Cairo", "2026-04-23T22:00:00Z"],
    ["0 0 * * *", "Asia/Beirut", "2026-03-28T22:00:00Z"],
    ["0 0 * * *", "America/Santiago", "2026-09-06T04:00:00Z"]
  ] as const) {
    it(`opens when the clock is set where its time is left out: ${schedule} in ${timeZone}`, () => {
      const made = window({ name: "x", schedule, timeZone, duration: "1 hour" })
      const from = DateTime.unsafeMake(opens)
      const early = DateTime.subtract(from, { millis: 1 })
      assert.isTrue(Option.isNone(made.openAt(early)))
      assert.deepStrictEqual(
        Option.map(made.nextChange(early), DateTime.formatIso),
        Option.some(DateTime.formatIso(from))
      )
      for (const minutes of [0, 30, 59]) {
        assert.isTrue(Option.isSome(made.openAt(DateTime.add(from, { minutes }))))
      }
      assert.isTrue(Option.isNone(made.openAt(DateTime.add(from, { hours: 1 }))))
    })
  }

  it("is not taken down by another one that throws", () => {
    const from = DateTime.unsafeMake("2026-07-01T01:00:00Z")
    const fails = () => {
      throw new Error("no such time")
    }
    const bad = { name: "bad", services: null, openAt: fails, nextChange: fails }
    const all = [bad, window(nightly)]
    assert.lengthOf(Maintenance.events(all, new Set(), from), 1)
    assert.isTrue(Option.isSome(Maintenance.nextChange(all, from)))
  })

  it("has its times in its zone, both hours of those that come twice", () => {
    const timeZone = "Europe/Berlin"
    const may = window({ name: "x", from: "2026-05-01 22:00", until: "2026-05-01T23:00", timeZone })
    const opening = (made: Maintenance.Window, time: string) =>
      Option.getOrUndefined(
        Option.map(made.openAt(DateTime.unsafeMake(time)), ({ from, until }) =>
          [from, until].map(DateTime.formatIso)
        )
      )
    assert.deepStrictEqual(opening(may, "2026-05-01T20:00:00Z"), [
      "2026-05-01T20:00:00.000Z",
      "2026-05-01T21:00:00.000Z"
    ])
    const twice = window({
      name: "x",
      from: "2026-10-25 02:15",
      until: "2026-10-25 02:45",
      timeZone
    })
    assert.deepStrictEqual(opening(twice, "2026-10-25T01:00:00Z"), [
      "2026-10-25T00:15:00.000Z",
      "2026-10-25T01:45:00.000Z"
    ])
  })

  it("is refused with a date in another form, and with fields that are not used", () => {
    const times = { from: "2026-05-01 22:00", until: "2026-05-01 23:00" }
    const [form] = problems({ name: "x", ...times, from: "01.05.2026 22:00" })
    assert.include(form, "maintenance.0.from: expected a time such as 2026-05-01T22:00:00Z")
    assert.include(form, 'found "01.05.2026 22:00"')
    const paths = (settings: Maintenance.Settings) =>
      problems(settings).map((line) => line.split(": expected nothing")[0])
    assert.deepStrictEqual(paths({ name: "x", ...times, duration: "1 hour" }), [
      "maintenance.0.duration"
    ])
    const zoned = { from: "2026-05-01T22:00:00Z", until: "2026-05-01T23:00:00Z", timeZone: "UTC" }
    assert.deepStrictEqual(paths({ name: "x", ...zoned }), ["maintenance.0.timeZone"])
    const both = { ...times, schedule: "0 3 * * *", duration: "1 hour" } as const
    assert.deepStrictEqual(paths({ name: "x", ...both }), [
      "maintenance.0.from",
      "maintenance.0.until"
    ])
    assert.include(
      problems({ name: "x", ...times, timeZone: "Europe/Berlinn" })[0],
      "expected a time zone"
    )
  })
})
