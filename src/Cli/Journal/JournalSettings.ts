/**
 * Where the journal lies and how long it keeps what is in it: the `journal` section, the environment
 * and the default brought together.
 */
import { Path } from "@effect/platform/Path"
import { type Duration, Effect, Either, Option, Predicate } from "effect"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import * as DatabaseUrl from "../../Common/DatabaseUrl.js"
import * as Secrets from "../../Common/Secrets.js"
import * as ConfigFile from "../ConfigFile.js"
import { ConfigurationError } from "../ConfigurationError.js"
import * as EmbeddedDatabase from "../EmbeddedDatabase.js"
import * as Environment from "../Environment.js"
import { Output } from "../Output.js"
import * as JournalSection from "./JournalSection.js"

export interface JournalSettings {
  /** The path of a file is absolute. */
  readonly url: DatabaseUrl.DatabaseUrl
  readonly retain: Duration.DurationInput | undefined
}

/** What a command that works with the journal, and with nothing else of the configuration, needs. */
export interface Loaded extends JournalSettings {
  readonly secrets: Secrets.Secrets
}

export const variable = "HOLTER_JOURNAL_URL"

/** What is wrong elsewhere in the file is no reason not to tell what happened. */
export const load = Effect.fn("JournalSettings.load")(function* (flag: Option.Option<string>) {
  const file = yield* ConfigFile.load(flag)
  const source = Option.match(file, { onNone: () => "environment", onSome: (one) => one.path })
  const environment = yield* Effect.either(Environment.read(variable))
  const named = Option.getOrUndefined(Option.flatten(Either.getRight(environment)))
  const secrets = Secrets.make([
    ...(named === undefined ? [] : Secrets.collect(named)),
    ...Option.match(file, {
      onNone: () => [],
      onSome: (one) => [...one.secrets, ...Secrets.collect(one.content)]
    })
  ])
  yield* Effect.flatMap(Output, ({ hide }) => hide(secrets))
  const content = Option.match(file, { onNone: () => undefined, onSome: sectionOf })
  const unfilled = Option.match(file, {
    onNone: (): ReadonlyArray<ConfigIssue> => [],
    onSome: ({ issues }) => issues.filter(({ path }) => path[0] === "journal")
  })
  const interpolated = Option.match(file, {
    onNone: () => new Set<string>(),
    onSome: (one) => one.interpolated
  })
  const decoded = yield* decode(content, named, interpolated, secrets.scrub)
  const issues = [
    ...(Either.isLeft(environment) ? [environment.left] : []),
    ...(unfilled.length > 0 ? unfilled : Either.isLeft(decoded) ? decoded.left : [])
  ]
  if (Either.isLeft(decoded) || issues.length > 0) {
    return yield* new ConfigurationError({ source, issues })
  }
  return { ...decoded.right, secrets } satisfies Loaded
})

const sectionOf = ({ content }: ConfigFile.ConfigFile): unknown =>
  Predicate.isRecord(content) ? content["journal"] : undefined

/** The settings that the section and the variable say, or everything that is wrong in them. */
export const decode = (
  section: unknown,
  named: string | undefined,
  interpolated: ReadonlySet<string>,
  scrub: (text: string) => string
): Effect.Effect<Either.Either<JournalSettings, ReadonlyArray<ConfigIssue>>, never, Path> =>
  Effect.map(Path, (path) => {
    const shape = JournalSection.decode(section, interpolated, scrub)
    const wrong = Either.isLeft(shape) ? shape.left : []
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
