import { assert, describe, it } from "@effect/vitest"
import { DateTime, FastCheck as fc } from "effect"
import type { Stored } from "../../src/Backup/Store.js"
import * as Manifest from "../../src/Backup/Manifest.js"
import * as Retention from "../../src/Backup/Retention.js"
import { database, stored } from "./manifests.js"

const now = DateTime.unsafeMake("2026-11-26T12:00:00Z")
const hour = 3_600_000
const day = 24 * hour
const subject: Retention.Subject = { app: "bot", database: { ...database, host: "web1" } }

const ago = (hours: number) => now.epochMillis - hours * hour

/** Backups of all kinds, up to three years old, some of them from the future. */
const history: fc.Arbitrary<ReadonlyArray<Stored>> = fc
  .array(
    fc.record({
      startedAt: fc
        .integer({ min: -1000, max: 3 * 365 * 24 })
        .chain((hours) => fc.nat(hour - 1).map((millis) => ago(hours) + millis)),
      purpose: fc.constantFrom<Manifest.Manifest["purpose"]>("backup", "backup", "pre_restore"),
      verified: fc.boolean(),
      pinned: fc.integer({ min: 0, max: 9 }).map((value) => value === 0),
      foreign: fc.integer({ min: 0, max: 9 }).map((value) => value === 0),
      app: fc.constantFrom("bot", "bot", "bot", "other"),
      database: fc.constantFrom(
        {},
        { host: "web1" },
        { host: "web1" },
        { host: "web2" },
        { name: "other.db" },
        { location: "/srv/staging" }
      ),
      problem: fc.constantFrom(undefined, undefined, undefined, "empty")
    }),
    { maxLength: 60 }
  )
  .map((all) => {
    const backups = all.map(({ problem, ...given }) =>
      stored(problem === undefined ? given : { ...given, problem })
    )
    return [...new Map(backups.map((backup) => [backup.name, backup])).values()]
  })

const count = fc.integer({ min: 0, max: 8 })
const policy: fc.Arbitrary<Retention.Policy> = fc.record({
  keep: count,
  daily: count,
  weekly: count,
  monthly: count,
  yearly: count,
  zone: fc.constantFrom(
    DateTime.zoneMakeOffset(0),
    DateTime.zoneUnsafeMakeNamed("Europe/Berlin"),
    DateTime.zoneUnsafeMakeNamed("Pacific/Auckland")
  )
})

const manifestOf = ({ manifest }: Stored) => (manifest._tag === "Some" ? manifest.value : undefined)
const millisOf = (backup: Stored) => manifestOf(backup)?.startedAt.epochMillis ?? 0

/** In rotation: what may be removed at all. */
const isOurs = (backup: Stored) => {
  const known = manifestOf(backup)
  return (
    backup.problem === undefined &&
    known !== undefined &&
    known.app === "bot" &&
    known.dump.database.name === database.name &&
    known.dump.database.location === database.location &&
    // Older ones do not name their machine.
    [undefined, "web1"].includes(known.dump.database.host) &&
    !known.pinned &&
    millisOf(backup) <= now.epochMillis
  )
}
const isCounted = (backup: Stored) => isOurs(backup) && manifestOf(backup)?.verified !== null
const isRotated = (backup: Stored) => manifestOf(backup)?.purpose === "backup"

const keptOf = (backups: ReadonlyArray<Stored>, rules: Retention.Policy) => {
  const verdicts = Retention.plan(backups, subject, rules, now)
  assert.deepStrictEqual(
    verdicts.map(({ name }) => name),
    backups.map(({ name }) => name)
  )
  const kept = new Set(verdicts.filter((verdict) => verdict.kept).map(({ name }) => name))
  return (backup: Stored) => kept.has(backup.name)
}

const holds = (
  law: (
    backups: ReadonlyArray<Stored>,
    isKept: (backup: Stored) => boolean,
    rules: Retention.Policy
  ) => void
) =>
  fc.assert(
    fc.property(history, policy, (backups, rules) => law(backups, keptOf(backups, rules), rules)),
    { numRuns: 1000 }
  )

const newestFirst = (backups: ReadonlyArray<Stored>) =>
  backups.toSorted(
    (one, other) => millisOf(other) - millisOf(one) || (one.name < other.name ? 1 : -1)
  )

describe("Retention", () => {
  it("never removes the newest verified backup", () => {
    holds((backups, isKept) => {
      const newest = newestFirst(
        backups.filter((backup) => isCounted(backup) && isRotated(backup))
      )[0]
      if (newest !== undefined) assert.isTrue(isKept(newest))
    })
  })

  it("removes nothing that is foreign, pinned, damaged, dated in the future or of others", () => {
    holds((backups, isKept) => {
      for (const backup of backups) if (!isOurs(backup)) assert.isTrue(isKept(backup), backup.name)
    })
  })

  it("keeps the last ones that are verified, as many as told, whatever else is there", () => {
    holds((backups, isKept, { keep }) => {
      const counted = newestFirst(backups.filter((one) => isCounted(one) && isRotated(one)))
      for (const backup of counted.slice(0, keep)) assert.isTrue(isKept(backup), backup.name)
    })
  })

  it("keeps no more than all its counts together", () => {
    holds((backups, isKept, { daily, keep, monthly, weekly, yearly }) => {
      const kept = backups.filter((one) => isCounted(one) && isRotated(one) && isKept(one))
      assert.isAtMost(kept.length, Math.max(1, keep + daily + weekly + monthly + yearly))
    })
  })

  it("keeps the last verified one of each of the last days that have one", () => {
    holds((backups, isKept, { daily, zone }) => {
      const counted = newestFirst(backups.filter((one) => isCounted(one) && isRotated(one)))
      const dayOf = (backup: Stored) =>
        DateTime.formatIsoDate(DateTime.unsafeMakeZoned(millisOf(backup), { timeZone: zone }))
      const days = [...new Set(counted.map(dayOf))].slice(0, daily)
      for (const date of days) {
        const last = counted.find((backup) => dayOf(backup) === date)
        assert.isTrue(last !== undefined && isKept(last), date)
      }
    })
  })

  it("keeps the last three that are verified from before restores, out of rotation", () => {
    holds((backups, isKept) => {
      const saved = newestFirst(backups.filter((one) => isCounted(one) && !isRotated(one)))
      assert.deepStrictEqual(
        saved.map(isKept),
        saved.map((_, index) => index < 3)
      )
    })
  })

  it("never removes one that did not pass its verification", () => {
    holds((backups, isKept) => {
      for (const backup of backups) {
        if (manifestOf(backup)?.verified === null) assert.isTrue(isKept(backup), backup.name)
      }
    })
  })

  it("does not let failed or future backups push anything out", () => {
    holds((backups, isKept, rules) => {
      const noise = (backup: Stored) => !isOurs(backup) || manifestOf(backup)?.verified === null
      const good = backups.filter((backup) => !noise(backup))
      const alone = keptOf(good, rules)
      for (const backup of good) assert.strictEqual(isKept(backup), alone(backup), backup.name)
    })
  })

  it("does not depend on the order, and removes nothing more when asked again", () => {
    holds((backups, isKept, rules) => {
      const reversed = keptOf(backups.toReversed(), rules)
      for (const backup of backups) assert.strictEqual(reversed(backup), isKept(backup))
      const left = backups.filter(isKept)
      const again = keptOf(left, rules)
      for (const backup of left) assert.isTrue(again(backup), backup.name)
    })
  })

  it("lets nothing that looks as if data were lost push out what is from before", () => {
    const suspects = fc.record({
      hours: fc.uniqueArray(fc.integer({ min: 1, max: 2000 }), { maxLength: 30 }),
      bits: fc.array(fc.boolean(), { minLength: 30, maxLength: 30 }),
      pins: fc.array(fc.nat(9), { minLength: 30, maxLength: 30 })
    })
    fc.assert(
      fc.property(suspects, policy, ({ bits, hours, pins }, rules) => {
        const backups = hours
          .toSorted((one, other) => one - other)
          .map((age, index) =>
            stored({
              startedAt: ago(age),
              suspect: bits[index] ?? false,
              pinned: pins[index] === 0
            })
          )
        const isTrusted = (backup: Stored) => {
          const known = manifestOf(backup)
          return known !== undefined && Manifest.suspicions(known).length === 0
        }
        const lastGood = backups.findIndex(isTrusted)
        if (lastGood < 0) return
        const before = backups.slice(lastGood)
        const isKept = keptOf(backups, rules)
        const alone = keptOf(before, rules)
        for (const one of before) assert.strictEqual(isKept(one), alone(one), one.name)
        assert.isTrue(before.slice(0, 1).every(isKept))
        // They are not kept without end either.
        const { daily, keep, monthly, weekly, yearly } = rules
        assert.isAtMost(
          backups.slice(0, lastGood).filter(isKept).length,
          Math.max(1, keep + daily + weekly + monthly + yearly)
        )
      }),
      { numRuns: 500 }
    )
  })

  it("still counts none of them against the good ones once the data are back", () => {
    const nights = Array.from({ length: 14 }, (_, night) =>
      stored({ startedAt: ago(24 * night), suspect: night > 0 && night < 8 })
    )
    const rules = { ...Retention.defaults, keep: 3, daily: 5 }
    const isKept = keptOf(nights, rules)
    // The good one of tonight, and as many from before the loss as if there had been none.
    assert.deepStrictEqual(
      nights.map(isKept),
      nights.map((_, night) => night < 5 || (night >= 8 && night < 12))
    )
    const good = nights.filter((one) => manifestOf(one)?.suspect === undefined)
    const alone = keptOf(good, rules)
    for (const one of good) assert.strictEqual(isKept(one), alone(one), one.name)
  })

  it("keeps all where a count is no number", () => {
    const backups = Array.from({ length: 20 }, (_, index) => stored({ startedAt: ago(index + 1) }))
    for (const keep of [Number.NaN, Number.POSITIVE_INFINITY, -1]) {
      const isKept = keptOf(backups, { ...Retention.defaults, keep })
      assert.isTrue(backups.every(isKept), String(keep))
    }
  })

  it("says why it keeps what it keeps", () => {
    const backups = [
      stored({ startedAt: ago(-1) }),
      stored({ startedAt: ago(1) }),
      stored({ startedAt: ago(2), verified: false }),
      stored({ startedAt: ago(3), pinned: true }),
      stored({ startedAt: ago(4), foreign: true }),
      stored({ startedAt: ago(5), app: "other" }),
      stored({ startedAt: ago(6), database: { name: "other.db" } }),
      stored({ startedAt: ago(6.5), database: { host: "web2" } }),
      stored({ startedAt: ago(7), problem: "empty" }),
      stored({ startedAt: ago(30) }),
      stored({ startedAt: ago(31) }),
      stored({ startedAt: ago(32), purpose: "pre_restore" })
    ]
    const rules = { ...Retention.defaults, keep: 2, daily: 2 }
    assert.deepStrictEqual(
      Retention.plan(backups, subject, rules, now).map(({ because }) => because),
      [
        "dated in the future",
        "the last 2, daily",
        "not verified",
        "pinned",
        "not made by Holter",
        "of another app",
        "of another database",
        "of another database",
        "not in order: empty",
        "the last 2, daily",
        "no longer needed",
        "the last 3"
      ]
    )
  })

  it("keeps three pre-restore backups, and beside them those of the last day", () => {
    const saved = (hours: number) => stored({ startedAt: ago(hours), purpose: "pre_restore" })
    const recent = [1, 2, 3, 4, 23.9].map(saved)
    const because = (backups: ReadonlyArray<Stored>) =>
      Retention.plan(backups, subject, Retention.defaults, now).map((verdict) => verdict.because)
    assert.deepStrictEqual(because([...recent, saved(24)]), [
      ...Array<string>(3).fill("the last 3"),
      ...Array<string>(2).fill("of the last day"),
      "no longer needed"
    ])
    assert.deepStrictEqual(because([24, 48, 72, 96].map(saved)), [
      ...Array<string>(3).fill("the last 3"),
      "no longer needed"
    ])
  })

  it("counts the days of the time zone", () => {
    // 23:30 and 00:30 of Berlin are one day in UTC.
    const backups = ["2026-11-24T23:30:00Z", "2026-11-24T22:30:00Z"].map((time) =>
      stored({ startedAt: DateTime.unsafeMake(time).epochMillis })
    )
    const kept = (zone: DateTime.TimeZone) =>
      backups.map(keptOf(backups, { ...Retention.defaults, keep: 0, daily: 5, zone }))
    assert.deepStrictEqual(kept(DateTime.zoneMakeOffset(0)), [true, false])
    assert.deepStrictEqual(kept(DateTime.zoneUnsafeMakeNamed("Europe/Berlin")), [true, true])
  })

  it("rotates a year of nightly backups as told", () => {
    const rules = { ...Retention.defaults, keep: 3, daily: 7, weekly: 4, monthly: 6, yearly: 2 }
    let backups: ReadonlyArray<Stored> = []
    let time = now.epochMillis - 400 * day
    while (time <= now.epochMillis) {
      backups = [stored({ startedAt: time }), ...backups]
      const at = DateTime.unsafeMake(time)
      const verdicts = Retention.plan(backups, subject, rules, at)
      backups = backups.filter((_, index) => verdicts[index]?.kept)
      time += day
    }
    const dates = backups.map((backup) =>
      DateTime.formatIsoDate(DateTime.unsafeMake(millisOf(backup)))
    )
    assert.deepStrictEqual(dates, [
      "2026-11-26",
      "2026-11-25",
      "2026-11-24",
      "2026-11-23",
      "2026-11-22",
      "2026-11-21",
      "2026-11-20",
      "2026-11-15",
      "2026-11-08",
      "2026-10-31",
      "2026-09-30",
      "2026-08-31",
      "2026-07-31",
      "2026-06-30",
      "2025-12-31"
    ])
  })
})
