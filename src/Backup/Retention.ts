/**
 * Which backups stay. Pure: the same function plans a dry run and a real one.
 *
 * Only what Holter made of this very database for this app is ever removed, and only when it is in
 * order: a file without a manifest, a damaged one and those of others stay. Only backups that were
 * verified count, so failed ones push nothing out; and none that looks as if data were lost pushes out
 * one from before that.
 */
import { DateTime, Option } from "effect"
import type { Stored } from "./Store.js"
import { judge } from "./DatabaseIdentity.js"
import * as Manifest from "./Manifest.js"

/** How many are kept. A count that is no number keeps all. */
export interface Policy {
  /** The last ones, however old. */
  readonly keep: number
  /** Of so many days, each day's last one; of weeks (from Monday), months and years likewise. */
  readonly daily: number
  readonly weekly: number
  readonly monthly: number
  readonly yearly: number
  /** Whose days. */
  readonly zone: DateTime.TimeZone
}

export const defaults: Policy = {
  keep: 7,
  daily: 0,
  weekly: 0,
  monthly: 0,
  yearly: 0,
  zone: DateTime.zoneMakeOffset(0)
}

/**
 * Pre-restore backups, and databases set aside, that stay of one database, beside those of the last
 * day: in an emergency more than three restores are tried, and the first has saved what matters.
 */
export const preRestoreKept = 3

/** Whether a pre-restore backup, or a database set aside, is of the last day. */
export const isRecent = (at: DateTime.Utc, now: DateTime.Utc): boolean =>
  DateTime.greaterThan(DateTime.add(at, { days: 1 }), now)

/** Whose backups rotate. */
export interface Subject {
  /** As in names: `dmarket_bot`. */
  readonly app: string
  readonly database: Manifest.Database
}

/** What becomes of one backup. `because` says why: `the last 7, daily`. */
export interface Verdict {
  readonly name: string
  readonly kept: boolean
  readonly because: string
}

/** Decides on every backup of a store, in the order given. */
export const plan = (
  backups: ReadonlyArray<Stored>,
  subject: Subject,
  policy: Policy,
  now: DateTime.Utc
): ReadonlyArray<Verdict> => {
  const outside = new Map<string, string>()
  const mine: Array<Own> = []
  for (const backup of backups) {
    const own = ownOf(backup, subject, now)
    if (typeof own === "string") outside.set(backup.name, own)
    else mine.push(own)
  }
  mine.sort(newestFirst)
  const of = (purpose: Manifest.Manifest["purpose"]) =>
    mine.filter(({ manifest }) => manifest.purpose === purpose)
  const rotated = of("backup")
  // What looks as if data were lost rotates by itself: it pushes nothing out that still has them.
  const trusted = newestTrusted(backups, subject, now)
  const isUnconfirmed = ({ startedAt }: Own): boolean =>
    trusted !== undefined && startedAt > trusted
  const confirmed = rotated.filter((own) => !isUnconfirmed(own))
  const suspect = rotated.filter(isUnconfirmed)
  const good = confirmed.filter(({ manifest }) => Manifest.suspicions(manifest).length === 0)
  const kept = new Map([
    ...outside,
    ...keptOf(confirmed, policy),
    // Those of a loss that is over still count for nothing: what is back may not be all of it.
    ...keptOf(good, policy),
    ...marked("suspect, ", keptOf(suspect, policy)),
    ...of("pre_restore")
      .filter(({ manifest }) => isRecent(manifest.startedAt, now))
      .map(({ name }) => [name, "of the last day"] as const),
    ...keptOf(of("pre_restore"), { ...defaults, keep: preRestoreKept })
  ])
  for (const newest of [confirmed.find(isVerified), suspect.find(isVerified)]) {
    if (newest !== undefined && !kept.has(newest.name)) {
      kept.set(newest.name, "the newest verified backup")
    }
  }
  return backups.map(({ name }) => {
    const because = kept.get(name)
    return { name, kept: because !== undefined, because: because ?? "no longer needed" }
  })
}

/**
 * When the newest verified backup was made that does not look as if data were lost, or that somebody
 * has pinned. All that were made after it wait for a word, or for the data to come back.
 */
const newestTrusted = (
  backups: ReadonlyArray<Stored>,
  { app, database }: Subject,
  now: DateTime.Utc
): number | undefined => {
  const times = backups.flatMap(({ manifest, parsed, problem }) => {
    const known = Option.getOrUndefined(manifest)
    const isOne =
      known !== undefined &&
      problem === undefined &&
      parsed.app === app &&
      known.purpose === "backup" &&
      known.verified !== null &&
      judge(known.dump.database, database) === "same" &&
      DateTime.lessThanOrEqualTo(known.startedAt, now) &&
      Manifest.suspicions(known).length === 0
    return isOne ? [known.startedAt.epochMillis] : []
  })
  return times.length === 0 ? undefined : Math.max(...times)
}

const marked = (
  start: string,
  kept: ReadonlyMap<string, string>
): ReadonlyArray<readonly [string, string]> =>
  [...kept].map(([name, reason]) => [name, start + reason] as const)

/** A backup that may be removed, if nothing keeps it. */
interface Own {
  readonly name: string
  readonly manifest: Manifest.Manifest
  readonly startedAt: number
}

const unknown = "not known to be of this database"

/** The backup, or why it is out of all this. */
const ownOf = (backup: Stored, subject: Subject, now: DateTime.Utc): Own | string => {
  if (backup.problem !== undefined) return `not in order: ${backup.problem}`
  if (Option.isNone(backup.manifest)) return "not made by Holter"
  const manifest = backup.manifest.value
  if (backup.parsed.app !== subject.app) return "of another app"
  const verdict = judge(manifest.dump.database, subject.database)
  if (verdict !== "same") return verdict === "other" ? "of another database" : unknown
  if (manifest.pinned) return "pinned"
  if (DateTime.greaterThan(manifest.startedAt, now)) return "dated in the future"
  return { name: backup.name, manifest, startedAt: manifest.startedAt.epochMillis }
}

const newestFirst = (one: Own, other: Own): number =>
  other.startedAt - one.startedAt || (one.name < other.name ? 1 : -1)

const isVerified = ({ manifest }: Own): boolean => manifest.verified !== null

const keptOf = (rotated: ReadonlyArray<Own>, policy: Policy): ReadonlyMap<string, string> => {
  const counted = rotated.filter(isVerified)
  const reasons = new Map<string, Array<string>>()
  const keep = (own: Own, because: string) => {
    const known = reasons.get(own.name)
    if (known === undefined) reasons.set(own.name, [because])
    else known.push(because)
  }
  const last = countOf(policy.keep)
  for (const own of counted.slice(0, last)) keep(own, `the last ${last}`)
  for (const [label, unit, count] of [
    ["daily", "day", policy.daily],
    ["weekly", "week", policy.weekly],
    ["monthly", "month", policy.monthly],
    ["yearly", "year", policy.yearly]
  ] as const) {
    for (const own of lastOfEach(counted, unit, policy.zone).slice(0, countOf(count))) {
      keep(own, label)
    }
  }
  // It may be all there is of its day, and what broke it is to be found out.
  for (const own of rotated) if (!isVerified(own)) keep(own, "not verified")
  return new Map([...reasons].map(([name, all]) => [name, all.join(", ")]))
}

/** Of each day, week, month or year the newest; newest first. */
const lastOfEach = (
  backups: ReadonlyArray<Own>,
  unit: "day" | "week" | "month" | "year",
  zone: DateTime.TimeZone
): ReadonlyArray<Own> => {
  const found = new Map<number, Own>()
  for (const own of backups) {
    const local = DateTime.setZone(own.manifest.startedAt, zone)
    const start = DateTime.startOf(local, unit, { weekStartsOn: 1 }).epochMillis
    if (!found.has(start)) found.set(start, own)
  }
  return [...found.values()]
}

const countOf = (count: number): number =>
  Number.isFinite(count) && count >= 0 ? Math.floor(count) : Number.POSITIVE_INFINITY
