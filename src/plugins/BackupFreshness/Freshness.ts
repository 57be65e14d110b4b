/**
 * What a list of backups says about how fresh they are, for each database by itself: the fresh backup
 * of one must not hide that another has none. Pure.
 *
 * @internal
 */
import { DateTime, Duration, Option } from "effect"
import { problemOf, type Stored } from "../../Backup/BackupStore.js"
import { isKnown, judge } from "../../Backup/DatabaseIdentity.js"
import { type Database, suspicions } from "../../Backup/Manifest.js"

/** @internal */
export interface Filter {
  readonly app?: string | undefined
  readonly engine?: string | undefined
  readonly database?: string | undefined
}

/** @internal */
export interface Newest {
  readonly name: string
  readonly age: Duration.Duration
  readonly bytes: number
  /** The bytes of the good one before it, of the same form. */
  readonly before: number | undefined
  /** Why it looks as if data were lost, until somebody accepts that. */
  readonly suspect: ReadonlyArray<string>
}

/** Of one database. @internal */
export interface Facts {
  readonly app: string
  readonly engine: string
  /** Unknown where no backup of it has a manifest. */
  readonly database: Database | undefined
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
export const facts = (
  all: ReadonlyArray<Stored>,
  filter: Filter,
  now: DateTime.Utc
): ReadonlyArray<Facts> => {
  const wanted = all.filter(
    (one) =>
      !one.parsed.preRestore &&
      (filter.app === undefined || one.parsed.app === filter.app) &&
      (filter.engine === undefined || one.parsed.engine === filter.engine) &&
      (filter.database === undefined || databaseOf(one)?.name === filter.database)
  )
  return groupsOf(wanted).map((group) => factsOf(group, now))
}

interface Group {
  readonly app: string
  readonly engine: string
  readonly database: Database | undefined
  readonly stored: Array<Stored>
}

/**
 * Newest first, so that a group is known by its newest member. Those that do not tell which database
 * they are of come last, and go to the first group that they may be of: those of before an upgrade are
 * no database of their own that nobody backs up any more.
 */
const groupsOf = (stored: ReadonlyArray<Stored>): ReadonlyArray<Group> => {
  const groups: Array<Group> = []
  const sure = (one: Stored): number => {
    const database = databaseOf(one)
    return database === undefined ? 0 : isKnown(database) ? 2 : 1
  }
  const surest = (one: Stored, other: Stored): number =>
    sure(other) - sure(one) || newestFirst(one, other)
  for (const one of stored.toSorted(surest)) {
    const { app, engine } = one.parsed
    const database = databaseOf(one)
    const group = groups.find(
      (other) =>
        other.app === app &&
        other.engine === engine &&
        (database === undefined ||
          (other.database !== undefined && judge(other.database, database) !== "other"))
    )
    if (group === undefined) groups.push({ app, engine, database, stored: [one] })
    else group.stored.push(one)
  }
  return groups
}

const databaseOf = ({ manifest }: Stored): Database | undefined =>
  Option.getOrUndefined(manifest)?.dump.database

const factsOf = ({ app, database, engine, stored }: Group, now: DateTime.Utc): Facts => {
  const judged = stored.map((one) => ({ one, problem: problemOf(one) ?? aheadOf(one, now) }))
  const good = judged.flatMap(({ one, problem }) => (problem === undefined ? one : []))
  return {
    app,
    engine,
    database,
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
  const sorted = [...good].sort(newestFirst)
  const [newest] = sorted
  if (newest === undefined) return undefined
  // Another compression has sizes that say nothing of a loss; one that was suspect itself hides it.
  const before = sorted
    .slice(1)
    .find(
      (one) => one.parsed.extension === newest.parsed.extension && suspicionsOf(one).length === 0
    )
  return {
    name: newest.name,
    age: ageOf(startedAt(newest), now),
    bytes: newest.bytes,
    before: before?.bytes,
    suspect: suspicionsOf(newest)
  }
}

const suspicionsOf = ({ manifest }: Stored): ReadonlyArray<string> =>
  Option.match(manifest, { onNone: () => [], onSome: suspicions })

const newestFirst = (one: Stored, other: Stored): number => startedAt(other) - startedAt(one)

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
