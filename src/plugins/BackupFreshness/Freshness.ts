/**
 * What a list of backups says about how fresh they are. Pure.
 *
 * @internal
 */
import { DateTime, Duration, Option } from "effect"
import type { Stored } from "../../Backup/BackupStore.js"

/** @internal */
export interface Filter {
  readonly app?: string | undefined
  readonly engine?: string | undefined
}

/** @internal */
export interface Newest {
  readonly name: string
  readonly age: Duration.Duration
  readonly bytes: number
  /** The bytes of the good one before it, of the same form. */
  readonly before: number | undefined
}

/** @internal */
export interface Facts {
  /** Good or not. */
  readonly count: number
  /** The newest one that could be restored. */
  readonly newest: Newest | undefined
  /** Since the last verification, and the last drill, of any of them. */
  readonly verified: Duration.Duration | undefined
  readonly drilled: Duration.Duration | undefined
  readonly problems: ReadonlyArray<{ readonly name: string; readonly problem: string }>
}

/**
 * A pre-restore backup is of a moment when something was wrong: it is no backup to go back to.
 *
 * @internal
 */
export const facts = (all: ReadonlyArray<Stored>, filter: Filter, now: DateTime.Utc): Facts => {
  const stored = all.filter(
    ({ parsed }) =>
      !parsed.preRestore &&
      (filter.app === undefined || parsed.app === filter.app) &&
      (filter.engine === undefined || parsed.engine === filter.engine)
  )
  const judged = stored.map((one) => ({ one, problem: one.problem ?? aheadOf(one, now) }))
  const good = judged.flatMap(({ one, problem }) => (problem === undefined ? one : []))
  return {
    count: stored.length,
    newest: newestOf(good, now),
    verified: latest(good, now, ({ verified }) => verified?.at),
    drilled: latest(good, now, ({ drilled }) => drilled?.at),
    problems: judged.flatMap(({ one: { name }, problem }) =>
      problem === undefined ? [] : [{ name, problem }]
    )
  }
}

/** One that a wrong clock has dated would pass for fresh until that time comes. */
const aheadOf = (one: Stored, now: DateTime.Utc): string | undefined =>
  startedAt(one) - now.epochMillis > toleratedMillis ? "dated in the future" : undefined

const toleratedMillis = Duration.toMillis("10 minutes")

const newestOf = (good: ReadonlyArray<Stored>, now: DateTime.Utc): Newest | undefined => {
  const sorted = [...good].sort((one, other) => startedAt(other) - startedAt(one))
  const [newest] = sorted
  if (newest === undefined) return undefined
  // Two databases in one directory, or another compression, have sizes that say nothing of a loss.
  const before = sorted.slice(1).find((one) => formOf(one) === formOf(newest))
  return {
    name: newest.name,
    age: ageOf(startedAt(newest), now),
    bytes: newest.bytes,
    before: before?.bytes
  }
}

const formOf = ({ parsed: { app, engine, extension } }: Stored): string =>
  [app, engine, extension].join("\0")

const startedAt = ({ manifest, parsed }: Stored): number =>
  Option.match(manifest, {
    onNone: () => parsed.startedAt.epochMillis,
    onSome: (known) => known.startedAt.epochMillis
  })

const latest = (
  good: ReadonlyArray<Stored>,
  now: DateTime.Utc,
  timeOf: (manifest: Option.Option.Value<Stored["manifest"]>) => DateTime.Utc | undefined
): Duration.Duration | undefined => {
  const times = good.flatMap(({ manifest }) =>
    Option.match(manifest, {
      onNone: () => [],
      onSome: (known) => timeOf(known)?.epochMillis ?? []
    })
  )
  return times.length === 0 ? undefined : ageOf(Math.max(...times), now)
}

/** Clocks of two machines differ a little. */
const ageOf = (time: number, now: DateTime.Utc): Duration.Duration =>
  Duration.millis(Math.max(0, now.epochMillis - time))
