/** The newest backup of the database at hand, and what is in doubt about it. */
import { DateTime, Effect, Option } from "effect"
import { BackupError } from "../BackupError.js"
import type { Stored } from "../Store.js"
import { describe, judge, placeOf } from "../DatabaseIdentity.js"
import * as Manifest from "../Manifest.js"
import type { Desk } from "./Options.js"

/**
 * Whose backup may be the latest where there is none of this very database: nobody's, one of the same
 * name (to be read only), or that of any other.
 *
 * @internal
 */
export type Others = "none" | "named" | "all"

/** @internal */
export interface Latest {
  readonly stored: Stored
  readonly warnings: ReadonlyArray<string>
}

/**
 * The newest verified one of this very database; where there is none, the newest without a manifest
 * that carries this app's name, as those of the Python script do. One that does not tell which database
 * of this name it is of is to be chosen by its name, and one of another is only taken on demand.
 *
 * @internal
 */
export const latest = (desk: Desk, others: Others): Effect.Effect<Latest, BackupError> =>
  Effect.gen(function* () {
    const database = yield* desk.database
    const now = yield* DateTime.now
    const backups = yield* desk.main.list
    const usable = backups.filter((stored) => isUsable(stored, database.engine))
    const found: Found = {
      database,
      backups,
      usable,
      same: byVerdict(usable, database, "same"),
      unknown: byVerdict(usable, database, "unknown"),
      named: usable.filter(
        (stored) =>
          databaseOf(stored)?.name === database.name && !isVerdict(stored, database, "same")
      ),
      bare: backups.find((stored) => isBare(desk, stored) && isPast(stored, now)),
      now
    }
    return ofThis(found) ?? (yield* ofAny(desk, found, others))
  })

interface Found {
  readonly database: Manifest.Database
  readonly backups: ReadonlyArray<Stored>
  /** Verified, and of this engine; the rest are parts of these. */
  readonly usable: ReadonlyArray<Stored>
  readonly same: ReadonlyArray<Stored>
  readonly unknown: ReadonlyArray<Stored>
  /** Of this name, and not of this database or not known to be. */
  readonly named: ReadonlyArray<Stored>
  readonly bare: Stored | undefined
  readonly now: DateTime.Utc
}

const ofThis = ({ bare, now, same, unknown }: Found): Latest | undefined => {
  const stored = newestOf(same, now)
  if (stored === undefined) return undefined
  const isNewer = (one: Stored | undefined): one is Stored =>
    one !== undefined && startedAt(one) > startedAt(stored)
  const doubtful = newestOf(unknown, now)
  const good = isSuspect(stored) ? same.find((one) => !isSuspect(one)) : undefined
  return {
    stored,
    warnings: [
      ...(isNewer(bare) ? [newer(bare, "has no manifest")] : []),
      ...(isNewer(doubtful) ? [newer(doubtful, "does not tell which database it is of")] : []),
      ...(good === undefined ? [] : [`The last backup without such a doubt is ${good.name}`])
    ]
  }
}

/** There is none of this very database. */
const ofAny = (desk: Desk, found: Found, others: Others): Effect.Effect<Latest, BackupError> => {
  const { bare, database, named, now, unknown, usable } = found
  const doubtful = newestOf(unknown, now)
  if (doubtful !== undefined && others === "none") return inDoubt(desk, database, doubtful)
  if (doubtful === undefined && bare !== undefined) {
    return Effect.succeed({ stored: bare, warnings: [] })
  }
  const elsewhere = doubtful ?? newestOf(named, now)
  if (elsewhere === undefined) {
    const any = others === "all" && isOfOne(usable) ? newestOf(usable, now) : undefined
    return any === undefined
      ? nothingUsable(desk, found)
      : Effect.succeed({ stored: any, warnings: [] })
  }
  if (others === "none") return onlyOthers(desk, database, elsewhere)
  if (others === "all" && !isOfOne(named)) return ofSeveral(desk, database, named)
  // Who restores it is told by the comparison with the database; who only reads it, here.
  const warnings = others === "all" ? [] : [`${elsewhere.name} is ${ofWhich(elsewhere)}`]
  return Effect.succeed({ stored: elsewhere, warnings })
}

const isUsable = ({ manifest, problem }: Stored, engine: string): boolean =>
  problem === undefined &&
  Option.exists(
    manifest,
    ({ dump, purpose, verified }) =>
      purpose === "backup" && verified !== null && dump.database.engine === engine
  )

const databaseOf = ({ manifest }: Stored): Manifest.Database | undefined =>
  Option.getOrUndefined(manifest)?.dump.database

const isVerdict = (
  stored: Stored,
  database: Manifest.Database,
  verdict: ReturnType<typeof judge>
): boolean => {
  const of = databaseOf(stored)
  return of !== undefined && judge(of, database) === verdict
}

const byVerdict = (
  all: ReadonlyArray<Stored>,
  database: Manifest.Database,
  verdict: ReturnType<typeof judge>
): ReadonlyArray<Stored> => all.filter((stored) => isVerdict(stored, database, verdict))

/** Made by no Holter, and named after this app: nothing else tells whose it is. */
const isBare = (desk: Desk, { manifest, parsed, problem }: Stored): boolean =>
  problem === undefined &&
  Option.isNone(manifest) &&
  !parsed.preRestore &&
  parsed.app === desk.slug &&
  parsed.engine === desk.strategy.engine

const startedAt = ({ manifest, parsed }: Stored): number =>
  Option.getOrElse(
    Option.map(manifest, (known) => known.startedAt),
    () => parsed.startedAt
  ).epochMillis

const isPast = (stored: Stored, now: DateTime.Utc): boolean => startedAt(stored) <= now.epochMillis

/** One that a wrong clock has dated ahead is better than none. */
const newestOf = (newestFirst: ReadonlyArray<Stored>, now: DateTime.Utc): Stored | undefined =>
  newestFirst.find((stored) => isPast(stored, now)) ?? newestFirst[0]

const isSuspect = ({ manifest }: Stored): boolean =>
  Option.exists(manifest, (known) => Manifest.suspicions(known).length > 0)

/** No two of them are known to be of different databases. */
const isOfOne = (all: ReadonlyArray<Stored>): boolean => oneOfEach(all).length < 2

/** The newest of each database. */
const oneOfEach = (newestFirst: ReadonlyArray<Stored>): ReadonlyArray<Stored> => {
  const found: Array<Stored> = []
  for (const stored of newestFirst) {
    const of = databaseOf(stored)
    const isNew = !found.some((one) => {
      const known = databaseOf(one)
      return known === undefined || of === undefined || judge(known, of) !== "other"
    })
    if (isNew) found.push(stored)
  }
  return found
}

const newer = ({ name }: Stored, why: string): string =>
  `${name} is newer, but ${why}, so it is not taken by itself: choose it by its name if it is wanted`

const inDoubt = (
  desk: Desk,
  database: Manifest.Database,
  doubtful: Stored
): Effect.Effect<never, BackupError> =>
  new BackupError({
    reason: "WrongDatabase",
    subject: desk.main.description,
    expected: `a verified backup that is known to be of ${database.name} at ${describe(database)}`,
    found: `only such as may be of another ${database.name}: the newest, ${doubtful.name}, is ${ofWhich(doubtful)}, and one of the two does not tell which database it is`,
    advice: `Look which database it was made of. If it is this one, choose it by its name: ${doubtful.name}`
  })

const onlyOthers = (
  desk: Desk,
  database: Manifest.Database,
  elsewhere: Stored
): Effect.Effect<never, BackupError> =>
  new BackupError({
    reason: "WrongDatabase",
    subject: desk.main.description,
    expected: `a verified backup of ${database.name} at ${describe(database)}`,
    found: `none of it, only ${ofWhich(elsewhere)} (the newest is ${elsewhere.name})`,
    advice:
      "--allow-other restores the newest backup of that other database over this one, which is saved before. If the database was moved, its server was rebuilt or another one took over, or that one is meant, say so with --allow-other"
  })

const ofSeveral = (
  desk: Desk,
  database: Manifest.Database,
  named: ReadonlyArray<Stored>
): Effect.Effect<never, BackupError> =>
  new BackupError({
    reason: "WrongDatabase",
    subject: desk.main.description,
    expected: `backups of one other ${database.name}`,
    found: oneOfEach(named)
      .map((stored) => `${stored.name} (${ofWhich(stored)})`)
      .join(", "),
    advice: "Choose one of them by its name"
  })

const ofWhich = (stored: Stored): string => {
  const of = databaseOf(stored)
  return of === undefined ? "of an unknown database" : `of a ${of.name} at ${describe(of)}`
}

const nothingUsable = (
  desk: Desk,
  { backups, database, usable }: Found
): Effect.Effect<never, BackupError> => {
  const bare = backups.filter(({ manifest }) => Option.isNone(manifest)).length
  const unknown = bare === 0 ? "" : `, ${bare} of them without a manifest`
  const others = usable.length === 0 ? "" : `, ${usable.length} of them of other databases`
  return new BackupError({
    reason: "NotFound",
    subject: desk.main.description,
    expected: `a verified backup of ${database.engine} database ${database.name} at ${placeOf(database)}`,
    found: `none among ${backups.length} backups${unknown}${others}`,
    advice: backups.length === 0 ? "Check the directory" : "Choose one that list shows by its name"
  })
}
