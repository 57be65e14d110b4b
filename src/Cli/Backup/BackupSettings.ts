/**
 * What the commands on backups work with: flags, the `backup` section and the environment brought
 * together. What is wrong elsewhere in the file is no reason not to restore a database.
 */
import { Path } from "@effect/platform/Path"
import { type DateTime, Effect, Either, Option, Predicate, Redacted } from "effect"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import * as DatabaseUrl from "../../Common/DatabaseUrl.js"
import * as Secrets from "../../Common/Secrets.js"
import * as ConfigSource from "../ConfigSource.js"
import { ConfigurationError, UsageError } from "../ConfigurationError.js"
import { Output } from "../Output.js"
import * as ReaderZone from "../ReaderZone.js"
import { issuesOf, type Reading } from "../Section.js"
import { checkKeep, type MakingFlags, noMakingFlags, type PlaceFlags } from "./BackupFlags.js"
import * as BackupSection from "./BackupSection.js"
import * as Database from "./Database.js"

export interface BackupSettings {
  /** The first part of names; by the database's own name where nothing says otherwise. */
  readonly app: string | undefined
  /** None where no database is configured at all. */
  readonly url: Database.Database | undefined
  /** Absolute. */
  readonly directory: string
  readonly keep: number
  readonly section: BackupSection.BackupSection
  readonly compression: "gzip" | "zstd" | "none"
  /** Directories that get copies, absolute. */
  readonly copies: ReadonlyArray<string>
  /** Where it came from, for messages. */
  readonly source: string
  readonly secrets: Secrets.Secrets
  /** In which pages show times. */
  readonly zone: DateTime.TimeZone
}

interface Options extends PlaceFlags {
  readonly making?: MakingFlags
  /** Whether the command can do without a database. */
  readonly databaseOptional?: boolean
}

export const load = Effect.fn("BackupSettings.load")(function* (flags: Options) {
  yield* noEmptyFlags(flags)
  yield* checkKeep((flags.making ?? noMakingFlags).keep)
  return yield* of(yield* ConfigSource.read(flags.config, variablesBeside(flags)), flags)
})

/** Without flags it is what the configuration says. */
export const of = Effect.fn("BackupSettings.of")(function* (
  source: ConfigSource.ConfigSource,
  flags: Options
) {
  const path = yield* Path
  const { making = noMakingFlags } = flags
  const fail = (issues: ReadonlyArray<ConfigIssue>) =>
    new ConfigurationError({ source: source.name, issues })
  const environment = yield* source.variables(variablesBeside(flags))
  const secrets = Secrets.merge(
    source.secrets,
    Secrets.make(Option.match(flags.databaseUrl, { onNone: () => [], onSome: Secrets.collect }))
  )
  yield* Effect.flatMap(Output, ({ hide }) => hide(secrets))
  const reading = { interpolated: source.interpolated, scrub: secrets.scrub }
  const strategies = yield* strategiesFor(source, flags, environment.values)
  const { issues, name, section } = readSection(source, flags, reading, strategies.known)
  const all = [...environment.issues, ...secrets.scrubAll(strategies.issues), ...issues]
  if (all.length > 0) return yield* fail(all)
  const url = yield* urlOf(flags, section, environment.values, strategies.known)
  const directory =
    Option.getOrUndefined(flags.backupDir) ??
    section.directory ??
    environment.values.get("HOLTER_BACKUP_DIR") ??
    "backups"
  return {
    app: section.app ?? name ?? environment.values.get("HOLTER_NAME"),
    url,
    directory: path.resolve(directory),
    keep: Option.getOrElse(making.keep, () => section.keep ?? 7),
    section,
    compression: making.compress ? (section.compress ?? "gzip") : "none",
    copies: (section.stores ?? []).map((place) => path.resolve(place.path)),
    source: source.name,
    secrets,
    zone: yield* ReaderZone.of(source.content)
  } satisfies BackupSettings
})

/** A shell gives an empty text where a variable is missing: no reason to take another place. */
const noEmptyFlags = (flags: PlaceFlags) =>
  Effect.forEach(
    [
      ["--database-url", "a database URL", flags.databaseUrl],
      ["--backup-dir", "the path of a directory", flags.backupDir]
    ] as const,
    ([flag, expected, value]) =>
      Option.contains(value, "")
        ? Effect.fail(new UsageError({ flag, expected, found: "an empty string" }))
        : Effect.void,
    { discard: true }
  )

/** The variables that it is made of. */
export const variables: ReadonlyArray<string> = ["DATABASE_URL", "HOLTER_BACKUP_DIR", "HOLTER_NAME"]

/** A flag goes before its variable, which is not even read. */
const variablesBeside = ({ backupDir, databaseUrl }: PlaceFlags): ReadonlyArray<string> =>
  variables.filter(
    (name) =>
      !(name === "DATABASE_URL" && Option.isSome(databaseUrl)) &&
      !(name === "HOLTER_BACKUP_DIR" && Option.isSome(backupDir))
  )

/**
 * Those of plugins. They are loaded where a URL is none that Holter knows itself: what is wrong with a
 * plugin is no reason not to restore another database.
 */
const strategiesFor = (
  { content, hasFile, plugins, strangers }: ConfigSource.ConfigSource,
  flags: PlaceFlags,
  environment: ReadonlyMap<string, string>
) =>
  Effect.gen(function* () {
    const none = { known: Database.noStrategies, issues: [] as ReadonlyArray<ConfigIssue> }
    if (!hasFile || !Array.isArray(ConfigSource.sectionOf(content, "plugins"))) return none
    const inFile = ConfigSource.sectionOf(ConfigSource.sectionOf(content, "backup"), "url")
    // The variable counts only where nothing else names a database: it may be another program's.
    const named = Option.getOrUndefined(flags.databaseUrl)
    const given = [
      named,
      inFile,
      named === undefined && inFile === undefined ? environment.get("DATABASE_URL") : undefined
    ]
    const isKnown = given.every(
      (text) => typeof text !== "string" || Either.isRight(DatabaseUrl.parse(text))
    )
    if (isKnown) return none
    const untrusted = (yield* strangers).filter((issue) => issue.path[0] === "plugins")
    if (untrusted.length > 0) return { ...none, issues: untrusted }
    const found = yield* plugins
    return { known: found.catalog.strategies, issues: found.issues }
  })

/** The section and the name; of the issues of the file, those that are in either of them. */
const readSection = (
  { content, hasFile, unfilled: allUnfilled }: ConfigSource.ConfigSource,
  flags: Options,
  reading: Reading,
  strategies: Database.Strategies
) => {
  const none = { issues: [], name: undefined, section: {} as BackupSection.BackupSection }
  if (!hasFile || !Predicate.isRecord(content)) return none
  const given = content["backup"]
  const isUrl = ({ path: [section, key] }: ConfigIssue) => section === "backup" && key === "url"
  // `url: ${DATABASE_URL}` where the variable is missing: that is no database, as without a file.
  const noUrl =
    Option.isSome(flags.databaseUrl) || (flags.databaseOptional === true && allUnfilled.some(isUrl))
  const backup = Predicate.isRecord(given)
    ? Object.fromEntries(Object.entries(given).filter(([key]) => !noUrl || key !== "url"))
    : given
  const unfilled = allUnfilled.filter(
    (issue) => ["backup", "name"].includes(issue.path[0] ?? "") && !(noUrl && isUrl(issue))
  )
  const section = BackupSection.decode(backup, reading, strategies)
  const isTold = (issue: ConfigIssue) =>
    unfilled.some((other) => other.path.join("\0") === issue.path.join("\0"))
  const name = content["name"]
  return {
    issues: [...unfilled, ...issuesOf(section).filter((issue) => !isTold(issue))],
    name: typeof name === "string" && name.trim() !== "" ? name : undefined,
    section: Either.getOrElse(section, () => none.section)
  }
}

const noDatabase: Effect.Effect<Database.Database | undefined> = Effect.succeed(undefined)

const urlOf = (
  flags: Options,
  section: BackupSection.BackupSection,
  environment: ReadonlyMap<string, string>,
  strategies: Database.Strategies
): Effect.Effect<Database.Database | undefined, ConfigurationError | UsageError> => {
  const inFile = section.url === undefined ? undefined : Redacted.value(section.url)
  const text = Option.getOrElse(flags.databaseUrl, () => inFile ?? environment.get("DATABASE_URL"))
  if (text === undefined) return noDatabase
  return Either.match(Database.parse(text, strategies), {
    onRight: (database) => Effect.succeed(database),
    onLeft: ({ expected, found, part }) => {
      // Another program's variable keeps nobody from looking at files.
      if (flags.databaseOptional === true && Option.isNone(flags.databaseUrl)) {
        return noDatabase
      }
      const what = `a database URL (${part}): ${expected}`
      return Option.isSome(flags.databaseUrl)
        ? new UsageError({ flag: "--database-url", expected: what, found })
        : new ConfigurationError({
            source: "environment",
            issues: [{ path: ["DATABASE_URL"], expected: what, found }]
          })
    }
  })
}
