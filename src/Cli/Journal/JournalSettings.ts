/**
 * Where the journal lies and how long it keeps what is in it: the `journal` section, the environment
 * and the default brought together.
 */
import { Path } from "@effect/platform/Path"
import { type Duration, Effect, Either, type Option, Predicate } from "effect"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import * as DatabaseUrl from "../../Common/DatabaseUrl.js"
import type * as Secrets from "../../Common/Secrets.js"
import type * as Decoder from "../../Plugin/Decoder.js"
import * as ConfigSource from "../ConfigSource.js"
import { ConfigurationError } from "../ConfigurationError.js"
import * as EmbeddedDatabase from "../EmbeddedDatabase.js"
import * as Section from "../Section.js"
import * as JournalSection from "./JournalSection.js"

export interface JournalSettings {
  /** The path of a file is absolute. */
  readonly url: DatabaseUrl.DatabaseUrl
  readonly retain: Duration.DurationInput | undefined
}

/** What a command that works with the journal, and with nothing else of the configuration, needs. */
export interface Loaded extends JournalSettings {
  readonly secrets: Secrets.Secrets
  /** Where it was read, for what else is read there. */
  readonly source: ConfigSource.ConfigSource
}

export const variable = "HOLTER_JOURNAL_URL"

/** What is wrong elsewhere in the file is no reason not to tell what happened. */
export const load = Effect.fn("JournalSettings.load")(function* (flag: Option.Option<string>) {
  const source = yield* ConfigSource.read(flag, [variable])
  const environment = yield* source.variables([variable])
  const section = ConfigSource.sectionOf(source.content, "journal")
  const decoded = yield* decode(section, environment.values.get(variable), source)
  const unfilled = source.unfilled.filter(({ path }) => path[0] === "journal")
  const issues = [
    ...environment.issues,
    ...(unfilled.length > 0 ? unfilled : Section.issuesOf(decoded))
  ]
  if (Either.isLeft(decoded) || issues.length > 0) {
    return yield* new ConfigurationError({ source: source.name, issues })
  }
  return { ...decoded.right, secrets: source.secrets, source } satisfies Loaded
})

/** The settings that the section and the variable say, or everything that is wrong in them. */
export const decode = (
  section: unknown,
  named: string | undefined,
  reading: Section.Reading
): Effect.Effect<Decoder.Checked<JournalSettings>, never, Path> =>
  Effect.map(Path, (path) => {
    const shape = JournalSection.decode(section, reading)
    const wrong = Section.issuesOf(shape)
    const url = Predicate.isRecord(section) ? section["url"] : undefined
    const isTold = wrong.some((issue) => issue.path.length === 1 || issue.path[1] === "url")
    const place = placeOf(typeof url === "string" ? url : undefined, named)
    if (Either.isLeft(place) && !isTold) return Either.left([...wrong, place.left])
    return Either.all([shape, place]).pipe(
      Either.mapBoth({
        onLeft: () => wrong,
        onRight: ([{ retain }, found]): JournalSettings => ({
          url: found._tag === "Sqlite" ? { ...found, path: path.resolve(found.path) } : found,
          retain
        })
      })
    )
  })

const placeOf = (
  url: string | undefined,
  named: string | undefined
): Either.Either<DatabaseUrl.DatabaseUrl, ConfigIssue> => {
  const given = url ?? named
  if (given === undefined) return Either.right({ _tag: "Sqlite", path: EmbeddedDatabase.location })
  return Either.mapLeft(DatabaseUrl.parseForConnection(given), ({ expected, found, part }) => ({
    path: url === undefined ? [variable] : ["journal", "url"],
    expected: `a database URL (${part}): ${expected}`,
    found
  }))
}
