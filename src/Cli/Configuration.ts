/**
 * What the command line works with: environment and configuration file brought together, every
 * mistake in them found at once, every service turned into a layer.
 */
import { Path } from "@effect/platform/Path"
import { Effect, Either, type Option, Predicate } from "effect"
import * as CheckPolicy from "../Check/CheckPolicy.js"
import * as Guidance from "../Check/Guidance.js"
import * as Dependencies from "../Alert/Dependencies.js"
import * as Secrets from "../Common/Secrets.js"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import type * as Decoder from "../Plugin/Decoder.js"
import type { AlertSettings, Decoded, Options as AlertOptions } from "./Alerts/AlertSettings.js"
import * as ConfigSource from "./ConfigSource.js"
import { ConfigurationError } from "./ConfigurationError.js"
import * as Document from "./Document.js"
import * as EmbeddedDatabase from "./EmbeddedDatabase.js"
import type { JournalSettings } from "./Journal/JournalSettings.js"
import { Output } from "./Output.js"
import * as Section from "./Section.js"
import * as Service from "./Service.js"
import * as ServiceDraft from "./ServiceDraft.js"
import * as Services from "./Services.js"
import type { ShutdownSection } from "./ShutdownSection.js"

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

/** The variables that it is made of, beside those of a channel of a plugin. */
export const variables: ReadonlyArray<string> = [
  ...Services.known.flatMap((service) => Object.values(service.variables)),
  "HOLTER_NAME",
  "ADMIN_TELEGRAM_CHAT_ID",
  "HOLTER_JOURNAL_URL"
]

export const load = Effect.fn("Configuration.load")(function* (flag: Option.Option<string>) {
  return yield* fromSource(yield* ConfigSource.read(flag, variables))
})

/** No check needs the section `backup`, but a mistake in it should not wait until the night of a restore. */
export const fromSource = (source: ConfigSource.ConfigSource) =>
  Effect.map(
    of(source, { backup: backupShape(source), alerts: false }),
    ({ configuration }) => configuration
  )

export interface Wanted<A, R> {
  /** What is made of the section `backup`, or everything that is wrong in it. */
  readonly backup: Effect.Effect<A, ReadonlyArray<ConfigIssue>, R>
  /** Whether alerts are sent by what is loaded: then also what is in no file has to be right. */
  readonly alerts: boolean
}

export interface Loaded<A> {
  readonly configuration: Configuration
  readonly backup: A
}

/** Everything that is wrong in any section is found here, at once. */
export const of = <A, R>(
  source: ConfigSource.ConfigSource,
  wanted: Wanted<A, R>
): Effect.Effect<Loaded<A>, ConfigurationError, R | Path | Output> =>
  Effect.gen(function* () {
    const { content, document, hasFile, misshapen, unfilled } = source
    const fail = (issues: ReadonlyArray<ConfigIssue>) =>
      new ConfigurationError({ source: source.name, issues })
    const environment = yield* source.variables(variables)
    const secrets = Secrets.merge(source.secrets, Secrets.make(environment.secrets))
    yield* Effect.flatMap(Output, ({ hide }) => hide(secrets))
    const name = document.name ?? environment.values.get("HOLTER_NAME") ?? "Holter"
    const strangers = yield* source.strangers
    // Nothing of it is loaded.
    if (strangers.length > 0) return yield* fail(strangers)
    const plugins = yield* source.plugins
    const reading = {
      interpolated: source.interpolated,
      scrub: secrets.scrub,
      complete: plugins.issues.length === 0 && !misshapen.some(isIn("plugins"))
    }
    const options: Service.Options = {
      ...reading,
      catalog: plugins.catalog.checks,
      heartbeat: document.heartbeat,
      unknown: wrongParts("heartbeat", misshapen)
    }
    const drafts = ServiceDraft.fromConfiguration(document, environment.values)
    const names = new Set([...drafts.map((draft) => draft.name), ...namesIn(content)])
    const readAlerts = decodeAlerts(document.alerts, {
      ...reading,
      catalog: plugins.catalog.channels,
      variables: source.variables,
      installation: name,
      services: [...names]
    })
    const backup = yield* Effect.either(wanted.backup)
    const journal = yield* journalOf(document, environment.values, reading)
    // A mistake in it should not wait until something is to be told.
    const alerts =
      wanted.alerts || document.alerts !== undefined ? yield* Effect.either(readAlerts) : undefined
    const [wrong, built] = yield* Effect.partition(drafts, (draft) => Service.make(draft, options))
    // A variable that is missing or wrong is told once, and not again as a value that is wrong.
    const isConsequence = (issue: ConfigIssue) =>
      unfilled.some((other) => overlap(issue, other)) ||
      environment.issues.some(({ path }) => path.join() === issue.path.join())
    const issues = [
      ...environment.issues,
      ...unfilled,
      ...[
        ...misshapen,
        ...plugins.issues,
        ...Section.issuesOf(backup),
        ...Section.issuesOf(journal),
        ...(alerts === undefined ? [] : Section.issuesOf(alerts)),
        ...distinct(wrong.flat()),
        ...Dependencies.issues(
          [...drafts, ...shapeless(content, drafts)].map(dependent),
          names,
          secrets.scrub
        )
      ].filter((issue) => !isConsequence(issue))
    ]
    const embedded = !drafts.some(({ entry }) => entry !== undefined)
    // Whoever wrote a file has services in mind, and those are not the ones of an empty machine. A
    // service whose variable is wrong may be the one.
    const nothing =
      embedded &&
      hasFile &&
      environment.issues.length === 0 &&
      namesNoCheck(content) &&
      !misshapen.some(isMisspelt)
    if (Either.isLeft(backup) || Either.isLeft(journal) || issues.length > 0 || nothing) {
      return yield* fail(nothing ? [...issues, noChecks] : issues)
    }
    const listed = hasFile ? built.filter((service) => service.configured) : built
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
    const configuration: Configuration = {
      name,
      source: source.name,
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
        (section) => `${source.name}: "${section}" is not used by this version of holter`
      ),
      environment: environment.values
    }
    return { configuration, backup: backup.right }
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

/** Whether the section is right in itself. */
const backupShape = (source: ConfigSource.ConfigSource) =>
  source.document.backup === undefined
    ? Effect.void
    : Effect.gen(function* () {
        const { decode } = yield* Effect.promise(() => import("./Backup/BackupSection.js"))
        const { catalog } = yield* source.plugins
        yield* decode(source.document.backup, source, catalog.strategies)
      })

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
  const checks = ConfigSource.sectionOf(content, "checks")
  return Predicate.isRecord(checks) ? Object.keys(checks) : []
}

/** The entries of the file that are wrong in their shape, for what can be said of them all the same. */
const shapeless = (content: unknown, drafts: ReadonlyArray<ServiceDraft.ServiceDraft>) => {
  const checks = ConfigSource.sectionOf(content, "checks")
  if (!Predicate.isRecord(checks)) return []
  return Object.entries(checks).flatMap(([name, entry]) =>
    Predicate.isRecord(entry) && !drafts.some((draft) => draft.name === name)
      ? [{ name, entry }]
      : []
  )
}

/** What is no list of texts, the check's own fields tell. */
const dependent = ({
  entry,
  name
}: Pick<ServiceDraft.ServiceDraft, "name" | "entry">): Dependencies.Dependent => {
  const given = entry?.["dependsOn"]
  const all: ReadonlyArray<unknown> = Array.isArray(given) ? given : []
  return { name, dependsOn: all.filter((one) => typeof one === "string") }
}

const namesNoCheck = (content: unknown): boolean => {
  const checks = ConfigSource.sectionOf(content, "checks")
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
  reading: Section.Reading
): Effect.Effect<Decoder.Checked<JournalSettings>, never, Path> =>
  Effect.gen(function* () {
    const named = environment.get("HOLTER_JOURNAL_URL")
    if (journal === undefined && named === undefined) {
      const file = (yield* Path).resolve(EmbeddedDatabase.location)
      return Either.right({ url: { _tag: "Sqlite", path: file }, retain: undefined })
    }
    const { decode } = yield* Effect.promise(() => import("./Journal/JournalSettings.js"))
    return yield* decode(journal, named, reading)
  })

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

/**
 * The catalog with the plugins that the configuration file names. What else is wrong in the file
 * matters to nobody who asks for it.
 */
export const catalog = Effect.fn("Configuration.catalog")(function* (flag: Option.Option<string>) {
  const source = yield* ConfigSource.read(flag, variables)
  const fail = (issues: ReadonlyArray<ConfigIssue>) =>
    new ConfigurationError({ source: source.name, issues })
  const issues = [...source.unfilled, ...source.misshapen].filter(isIn("plugins"))
  const strangers = yield* source.strangers
  if (issues.length + strangers.length > 0) return yield* fail([...issues, ...strangers])
  const plugins = yield* source.plugins
  return plugins.issues.length > 0 ? yield* fail(plugins.issues) : plugins.catalog
})
