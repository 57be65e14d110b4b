/**
 * What the command line works with: environment and configuration file brought together, every
 * mistake in them found at once, every service turned into a layer.
 */
import { Path } from "@effect/platform/Path"
import { Config, Effect, Either, Option, Predicate } from "effect"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as CheckPolicy from "../Check/CheckPolicy.js"
import * as Guidance from "../Check/Guidance.js"
import * as Secrets from "../Common/Secrets.js"
import type { AlertSettings, Decoded, Options as AlertOptions } from "./Alerts/AlertSettings.js"
import * as Catalog from "./Catalog.js"
import * as ConfigFile from "./ConfigFile.js"
import { ConfigurationError } from "./ConfigurationError.js"
import * as Dependencies from "./Dependencies.js"
import * as Document from "./Document.js"
import * as EmbeddedDatabase from "./EmbeddedDatabase.js"
import * as Environment from "./Environment.js"
import type { JournalSettings } from "./Journal/JournalSettings.js"
import { Output } from "./Output.js"
import * as Service from "./Service.js"
import * as ServiceDraft from "./ServiceDraft.js"
import * as Services from "./Services.js"
import type { ShutdownSection } from "./ShutdownSection.js"
import * as TrustedConfig from "./TrustedConfig.js"

export interface Configuration {
  readonly name: string
  /** Where it came from, for messages. */
  readonly source: string
  readonly services: ReadonlyArray<Service.Service>
  /**
   * Whether nothing is configured, so that a database of Holter's own is checked instead. Who checks it
   * makes it first (`prepare`).
   */
  readonly embedded: boolean
  /** Made when it is asked for: a check alerts nobody. */
  readonly alerts: Effect.Effect<AlertSettings, ConfigurationError>
  readonly journal: JournalSettings
  readonly shutdown: ShutdownSection
  readonly secrets: Secrets.Secrets
  readonly plugins: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
  /** The parts of the environment that were read, by the name of the variable. */
  readonly environment: ReadonlyMap<string, string>
}

/** The source of a configuration that is in no file. */
export const withoutFile = "environment"

export const load = Effect.fn("Configuration.load")(function* (flag: Option.Option<string>) {
  const { content, environment, interpolated, path, secrets, unfilled } = yield* read(flag)
  const source = Option.getOrElse(path, () => withoutFile)
  const fail = (issues: ReadonlyArray<ConfigIssue>) => new ConfigurationError({ source, issues })
  const { document, issues: misshapen } = Document.decode(content, interpolated, secrets.scrub)
  const name = document.name ?? environment.values.get("HOLTER_NAME") ?? "Holter"
  const strangers = yield* TrustedConfig.issues(
    Option.getOrElse(path, () => ""),
    content
  )
  // Nothing of it is loaded.
  if (strangers.length > 0) return yield* fail(strangers)
  const plugins = yield* catalogOf(content, path, secrets)
  const { channels, checks } = plugins.catalog
  const complete = plugins.issues.length === 0 && !misshapen.some(isIn("plugins"))
  const options: Service.Options = {
    catalog: checks,
    heartbeat: document.heartbeat,
    unknown: wrongParts("heartbeat", misshapen),
    complete,
    interpolated,
    scrub: secrets.scrub
  }
  const backup = yield* backupIssues(document, interpolated, secrets, plugins.catalog.strategies)
  const journal = yield* journalOf(document, environment.values, interpolated, secrets)
  const drafts = ServiceDraft.fromConfiguration(document, environment.values)
  const names = new Set([...drafts.map((draft) => draft.name), ...namesIn(content)])
  const readAlerts = decodeAlerts(document.alerts, {
    catalog: channels,
    complete,
    environment: environment.values,
    installation: name,
    interpolated,
    scrub: secrets.scrub,
    services: [...names]
  })
  // A mistake in it should not wait until something is to be told.
  const alerts = document.alerts === undefined ? undefined : yield* Effect.either(readAlerts)
  const [wrong, built] = yield* Effect.partition(drafts, (draft) => Service.make(draft, options))
  // A variable that is missing is told once, and not again as a value that is wrong.
  const consequences = (issue: ConfigIssue) => unfilled.some((other) => overlap(issue, other))
  const issues = [
    ...environment.issues,
    ...unfilled,
    ...[
      ...misshapen,
      ...plugins.issues,
      ...backup,
      ...leftOf(journal),
      ...(alerts === undefined ? [] : leftOf(alerts)),
      ...distinct(wrong.flat()),
      ...Dependencies.issues([...drafts, ...shapeless(content, drafts)], names, secrets.scrub)
    ].filter((issue) => !consequences(issue))
  ]
  const embedded = !drafts.some(({ entry }) => entry !== undefined)
  // Whoever wrote a file has services in mind, and those are not the ones of an empty machine. A
  // service whose variable is wrong may be the one.
  const nothing =
    embedded &&
    Option.isSome(path) &&
    environment.issues.length === 0 &&
    namesNoCheck(content) &&
    !misshapen.some(isMisspelt)
  if (Either.isLeft(journal) || issues.length > 0 || nothing) {
    return yield* fail(nothing ? [...issues, noChecks] : issues)
  }
  const listed = Option.isSome(path) ? built.filter((service) => service.configured) : built
  const all = Secrets.merge(
    secrets,
    Secrets.fromConfig([
      built.map((service) => service.secrets),
      alerts !== undefined && Either.isRight(alerts) ? alerts.right.secrets : []
    ])
  )
  yield* Effect.flatMap(Output, ({ hide }) => hide(all))
  const found = inOrder(embedded ? yield* withEmbedded(listed, options) : listed)
  const services = found.map((service) => ({
    ...service,
    ...all.scrubAll(Guidance.of(service))
  }))
  return {
    name,
    source,
    services,
    embedded,
    alerts: Effect.mapBoth(alerts ?? readAlerts, {
      onFailure: fail,
      // What is not checked has no results, and must not be taken for a check without results.
      onSuccess: ({ settings }) =>
        settings(
          services.filter(({ configured }) => configured),
          all
        )
    }),
    journal: journal.right,
    shutdown: document.shutdown,
    secrets: all,
    plugins: document.plugins,
    warnings: Document.laterSections(document).map(
      (section) => `${source}: "${section}" is not used by this version of holter`
    ),
    environment: environment.values
  } satisfies Configuration
})

/** What has to be there before the services are checked. */
export const prepare = ({
  embedded
}: Configuration): Effect.Effect<void, ConfigurationError, EmbeddedDatabase.Requirements> =>
  embedded ? EmbeddedDatabase.ensure : Effect.void

const noChecks: ConfigIssue = {
  path: ["checks"],
  expected: `at least one check, such as \`website: { type: http, url: https://example.com/up }\` (see \`holter plugins list\`), or a variable of a known service to be set (${Services.presenceVariables.join(", ")})`,
  found: "neither"
}

/** No check needs the section, but a mistake in it should not wait until the night of a restore. */
const backupIssues = (
  { backup }: Document.Document,
  interpolated: ReadonlySet<string>,
  secrets: Secrets.Secrets,
  strategies: Catalog.Catalog["strategies"]
): Effect.Effect<ReadonlyArray<ConfigIssue>> =>
  backup === undefined
    ? Effect.succeed([])
    : Effect.map(
        Effect.promise(() => import("./Backup/BackupSection.js")),
        ({ decode }) =>
          Either.match(decode(backup, interpolated, secrets.scrub, strategies), {
            onLeft: (issues) => issues,
            onRight: () => []
          })
      )

const decodeAlerts = (
  alerts: unknown,
  options: AlertOptions
): Effect.Effect<Decoded, ReadonlyArray<ConfigIssue>> =>
  Effect.flatMap(
    Effect.promise(() => import("./Alerts/AlertSettings.js")),
    ({ decode }) => decode(alerts, options)
  )

/** Of the checks in the file, also of those that are none. */
const namesIn = (content: unknown): ReadonlyArray<string> => {
  const checks = sectionOf(content, "checks")
  return Predicate.isRecord(checks) ? Object.keys(checks) : []
}

/** The entries of the file that are wrong in their shape, for what can be said of them all the same. */
const shapeless = (content: unknown, drafts: ReadonlyArray<ServiceDraft.ServiceDraft>) => {
  const checks = sectionOf(content, "checks")
  if (!Predicate.isRecord(checks)) return []
  return Object.entries(checks).flatMap(([name, entry]) =>
    Predicate.isRecord(entry) && !drafts.some((draft) => draft.name === name)
      ? [{ name, entry }]
      : []
  )
}

const sectionOf = (content: unknown, section: string): unknown =>
  Predicate.isRecord(content) ? content[section] : undefined

const namesNoCheck = (content: unknown): boolean => {
  const checks = sectionOf(content, "checks")
  return checks === undefined || (Predicate.isRecord(checks) && namesIn(content).length === 0)
}

/** A section that is none may have been meant to be `checks`. */
const isMisspelt = ({ path: [section = "", ...rest] }: ConfigIssue): boolean =>
  rest.length === 0 && !Object.hasOwn(Document.Document.fields, section)

const isIn =
  (section: string) =>
  ({ path }: ConfigIssue): boolean =>
    path[0] === section

/** The parts of a section that are wrong; all of them where it is no mapping. */
const wrongParts = (section: string, issues: ReadonlyArray<ConfigIssue>): ReadonlySet<string> =>
  new Set(
    issues
      .filter(isIn(section))
      .flatMap(({ path }) => (path[1] === undefined ? Object.keys(CheckPolicy.Fields) : [path[1]]))
  )

/** What is wrong with `heartbeat` is wrong for many checks, and told once. */
const distinct = (issues: ReadonlyArray<ConfigIssue>): ReadonlyArray<ConfigIssue> => {
  const textOf = ({ expected, path }: ConfigIssue) => [...path, expected].join("\0")
  return [
    ...new Map([...issues].reverse().map((issue) => [textOf(issue), issue])).values()
  ].reverse()
}

/** A check keeps nothing in it: where nothing is said of the journal, no code on it is loaded. */
const journalOf = (
  { journal }: Document.Document,
  environment: ReadonlyMap<string, string>,
  interpolated: ReadonlySet<string>,
  secrets: Secrets.Secrets
): Effect.Effect<Either.Either<JournalSettings, ReadonlyArray<ConfigIssue>>, never, Path> =>
  Effect.gen(function* () {
    const named = environment.get("HOLTER_JOURNAL_URL")
    if (journal === undefined && named === undefined) {
      const file = (yield* Path).resolve(EmbeddedDatabase.location)
      return Either.right({ url: { _tag: "Sqlite", path: file }, retain: undefined })
    }
    const { decode } = yield* Effect.promise(() => import("./Journal/JournalSettings.js"))
    return yield* decode(journal, named, interpolated, secrets.scrub)
  })

const leftOf = <A, E>(either: Either.Either<A, ReadonlyArray<E>>): ReadonlyArray<E> =>
  Either.isLeft(either) ? either.left : []

/** With nothing configured there is still something to watch. */
const withEmbedded = (listed: ReadonlyArray<Service.Service>, options: Service.Options) =>
  Effect.gen(function* () {
    const drafts = ServiceDraft.embedded(yield* EmbeddedDatabase.url)
    const services = yield* Effect.forEach(drafts, (draft) => Service.make(draft, options)).pipe(
      Effect.mapError((issues) => new ConfigurationError({ source: "environment", issues }))
    )
    return [...listed.filter((service) => service.name !== "database"), ...services]
  })

const inOrder = (services: ReadonlyArray<Service.Service>) =>
  [...services].sort((a, b) => Services.displayRank(a.name) - Services.displayRank(b.name))

const overlap = (one: ConfigIssue, other: ConfigIssue): boolean => {
  const depth = Math.min(one.path.length, other.path.length)
  return one.path.slice(0, depth).join("\0") === other.path.slice(0, depth).join("\0")
}

/** What the file says in its sections of fixed shape, as far as it is right. */
export const outline = Effect.fn("Configuration.outline")(function* (flag: Option.Option<string>) {
  const { content, interpolated, secrets } = yield* read(flag)
  return Document.decode(content, interpolated, secrets.scrub).document
})

/**
 * The catalog with the plugins that the configuration file names. What else is wrong in the file
 * matters to nobody who asks for it.
 */
export const catalog = Effect.fn("Configuration.catalog")(function* (flag: Option.Option<string>) {
  const { content, interpolated, path, secrets, unfilled } = yield* read(flag)
  const { issues: misshapen } = Document.decode(content, interpolated, secrets.scrub)
  const fail = (issues: ReadonlyArray<ConfigIssue>) =>
    new ConfigurationError({ source: Option.getOrElse(path, () => "environment"), issues })
  const issues = [...unfilled, ...misshapen].filter((issue) => issue.path[0] === "plugins")
  const strangers = yield* TrustedConfig.issues(
    Option.getOrElse(path, () => ""),
    content
  )
  if (issues.length + strangers.length > 0) return yield* fail([...issues, ...strangers])
  const plugins = yield* catalogOf(content, path, secrets)
  return plugins.issues.length > 0 ? yield* fail(plugins.issues) : plugins.catalog
})

const read = (flag: Option.Option<string>) =>
  Effect.gen(function* () {
    const environment = yield* readEnvironment
    const loaded = yield* Effect.mapError(ConfigFile.load(flag), (error) =>
      error._tag === "ConfigurationError" && environment.issues.length > 0
        ? new ConfigurationError({
            source: error.source,
            issues: [...environment.issues, ...error.issues]
          })
        : error
    )
    const file = Option.getOrElse(loaded, () => noFile)
    const secrets = Secrets.make([
      ...environment.secrets,
      ...file.secrets,
      ...Secrets.collect(file.content)
    ])
    yield* Effect.flatMap(Output, ({ hide }) => hide(secrets))
    return {
      environment,
      secrets,
      content: file.content,
      interpolated: file.interpolated,
      /** References to variables that cannot be filled in. */
      unfilled: file.issues,
      path: Option.liftPredicate(file.path, (path) => path !== "")
    }
  })

const noFile: ConfigFile.ConfigFile = {
  path: "",
  content: {},
  interpolated: new Set(),
  issues: [],
  secrets: []
}

const catalogOf = (
  content: unknown,
  path: Option.Option<string>,
  secrets: Secrets.Secrets
): Effect.Effect<Catalog.Found> => {
  const plugins = sectionOf(content, "plugins")
  const file = Option.getOrElse(path, () => "")
  return Effect.map(
    Catalog.withPlugins(Array.isArray(plugins) ? plugins : [], file),
    // A plugin may say what it read.
    ({ catalog, issues }) => ({ catalog, issues: secrets.scrubAll(issues) })
  )
}

/** Variables that are read beside those of the known services. */
const otherVariables = ["HOLTER_NAME", "ADMIN_TELEGRAM_CHAT_ID", "HOLTER_JOURNAL_URL"]

/** What requests over HTTP go by, which may hold a password. */
const proxies = Effect.forEach(["http_proxy", "https_proxy"], (name) =>
  Config.string(name).pipe(
    Config.orElse(() => Config.string(name.toUpperCase())),
    Effect.orElseSucceed(() => "")
  )
)

const readEnvironment = Effect.gen(function* () {
  const names = [
    ...Services.known.flatMap((service) => Object.values(service.variables)),
    ...otherVariables
  ]
  const values = new Map<string, string>()
  const [issues] = yield* Effect.partition(names, (name) =>
    Effect.map(
      Environment.read(name),
      Option.map((value) => values.set(name, value))
    )
  )
  const secrets = [...values].flatMap(([name, value]) =>
    Secrets.isSecretName(name) ? [value] : Secrets.collect(value)
  )
  return { values, issues, secrets: [...secrets, ...Secrets.collect(yield* proxies)] }
})
