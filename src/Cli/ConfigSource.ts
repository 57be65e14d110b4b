/**
 * The configuration file and the environment as a command found them. They are read once: whoever needs a
 * section of the file, a variable or a plugin takes it from here.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Config, Effect, Either, Option, Predicate } from "effect"
import * as Secrets from "../Common/Secrets.js"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as Catalog from "./Catalog.js"
import * as ConfigFile from "./ConfigFile.js"
import { ConfigurationError, type UsageError } from "./ConfigurationError.js"
import * as Document from "./Document.js"
import * as Environment from "./Environment.js"
import { Output } from "./Output.js"
import type { Reading } from "./Section.js"
import * as TrustedConfig from "./TrustedConfig.js"

type Issues = ReadonlyArray<ConfigIssue>

export interface ConfigSource extends Reading {
  /** The path of the file, for messages, or that there is none. */
  readonly name: string
  readonly hasFile: boolean
  /** What the file says, its variables filled in. */
  readonly content: unknown
  /** References to variables that cannot be filled in. */
  readonly unfilled: Issues
  /** What is right of its sections of fixed shape, and what is wrong. */
  readonly document: Document.Document
  readonly misshapen: Issues
  /** Variables of the environment; one that was read before is not read again. */
  readonly variables: (names: ReadonlyArray<string>) => Effect.Effect<Variables>
  /** What the file and the variables that were asked for hold that nobody may see. */
  readonly secrets: Secrets.Secrets
  /** Why root takes no code from this file. */
  readonly strangers: Effect.Effect<Issues>
  /** The catalog with the plugins that the file names; they are loaded when it is asked for. */
  readonly plugins: Effect.Effect<Catalog.Found>
}

export interface Variables {
  readonly values: ReadonlyMap<string, string>
  readonly issues: Issues
  readonly secrets: ReadonlyArray<string>
}

/** The name of a configuration that is in no file. */
export const withoutFile = "environment"

/** What is wrong with these variables is told with what is wrong with the file. */
export const read = (
  flag: Option.Option<string>,
  names: ReadonlyArray<string>
): Effect.Effect<ConfigSource, ConfigurationError | UsageError, FileSystem | Path | Output> =>
  Effect.gen(function* () {
    const files = yield* FileSystem
    const variables = yield* variablesOnce
    const environment = yield* variables(names)
    const found = yield* Effect.mapError(ConfigFile.load(flag), (error) =>
      error._tag === "ConfigurationError"
        ? new ConfigurationError({
            source: error.source,
            issues: [...environment.issues, ...error.issues]
          })
        : error
    )
    const {
      content,
      interpolated,
      issues,
      path,
      secrets: ofFile
    } = Option.getOrElse(found, () => noFile)
    const secrets = Secrets.make([
      ...environment.secrets,
      ...Secrets.collect(yield* proxies),
      ...ofFile,
      ...Secrets.collect(content)
    ])
    yield* Effect.flatMap(Output, ({ hide }) => hide(secrets))
    const { scrub } = secrets
    const decoded = Document.decode(content, { interpolated, scrub })
    const plugins = sectionOf(content, "plugins")
    return {
      name: path === "" ? withoutFile : path,
      hasFile: path !== "",
      content,
      interpolated,
      scrub,
      unfilled: issues,
      document: decoded.document,
      misshapen: decoded.issues,
      variables,
      secrets,
      strangers: yield* Effect.cached(
        Effect.provideService(TrustedConfig.issues(path, content), FileSystem, files)
      ),
      plugins: yield* Effect.cached(
        Effect.map(
          Catalog.withPlugins(Array.isArray(plugins) ? plugins : [], path),
          // A plugin may say what it read.
          (all) => ({ catalog: all.catalog, issues: secrets.scrubAll(all.issues) })
        )
      )
    }
  })

/** What lies under a key of the file. */
export const sectionOf = (content: unknown, section: string): unknown =>
  Predicate.isRecord(content) ? content[section] : undefined

const noFile: ConfigFile.ConfigFile = {
  path: "",
  content: {},
  interpolated: new Set(),
  issues: [],
  secrets: []
}

const variablesOnce: Effect.Effect<ConfigSource["variables"], never, FileSystem> = Effect.gen(
  function* () {
    const files = yield* FileSystem
    const known = new Map<string, Either.Either<Option.Option<string>, ConfigIssue>>()
    const variable = (name: string) =>
      Effect.suspend(() => {
        const before = known.get(name)
        return before === undefined
          ? Effect.tap(Effect.either(Environment.read(name)), (one) =>
              Effect.sync(() => known.set(name, one))
            )
          : Effect.succeed(before)
      })
    return (names) =>
      Effect.map(
        Effect.provideService(
          Effect.forEach(names, (name) => Effect.map(variable(name), (one) => ({ name, one }))),
          FileSystem,
          files
        ),
        (all) => {
          const values = new Map(
            all.flatMap(({ name, one }): ReadonlyArray<readonly [string, string]> => {
              const value = Either.isRight(one) ? Option.getOrUndefined(one.right) : undefined
              return value === undefined ? [] : [[name, value]]
            })
          )
          return {
            values,
            issues: all.flatMap(({ one }) => (Either.isLeft(one) ? [one.left] : [])),
            secrets: [...values].flatMap(([name, value]) =>
              Secrets.isSecretName(name) ? [value] : Secrets.collect(value)
            )
          }
        }
      )
  }
)

/** What requests over HTTP go by, which may hold a password. */
const proxies = Effect.forEach(["http_proxy", "https_proxy"], (name) =>
  Config.string(name).pipe(
    Config.orElse(() => Config.string(name.toUpperCase())),
    Effect.orElseSucceed(() => "")
  )
)
