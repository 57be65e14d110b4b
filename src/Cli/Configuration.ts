/**
 * What the command line works with: environment and configuration file brought together, every
 * mistake in them found at once, every service turned into a layer.
 */
import { Effect, Either, type Layer, Option, ParseResult, Predicate } from "effect"
import * as Check from "../Check/Check.js"
import type { ConfigIssue, DuplicateCheckError } from "../Check/CheckError.js"
import * as CheckPolicy from "../Check/CheckPolicy.js"
import type { CheckRegistry } from "../Check/CheckRegistry.js"
import * as ConfigIssues from "../Check/ConfigIssues.js"
import * as Secrets from "../Common/Secrets.js"
import * as Catalog from "./Catalog.js"
import * as ConfigFile from "./ConfigFile.js"
import { ConfigurationError } from "./ConfigurationError.js"
import * as EmbeddedDatabase from "./EmbeddedDatabase.js"
import * as Environment from "./Environment.js"
import { Document, laterSections } from "./Document.js"
import { withNumbers } from "./Numbers.js"
import { Output } from "./Output.js"
import * as Services from "./Services.js"

export interface Service {
  readonly name: string
  readonly label: string
  readonly configured: boolean
  readonly layer: Layer.Layer<never, DuplicateCheckError, CheckRegistry>
}

export interface Configuration {
  readonly name: string
  /** Where it came from, for messages. */
  readonly source: string
  readonly services: ReadonlyArray<Service>
  readonly secrets: Secrets.Secrets
  readonly warnings: ReadonlyArray<string>
  /** The parts of the environment that were read, by the name of the variable. */
  readonly environment: ReadonlyMap<string, string>
}

export const load = Effect.fn("Configuration.load")(function* (flag: Option.Option<string>) {
  const { content, environment, interpolated, path, secrets, unfilled } = yield* read(flag)
  const source = Option.getOrElse(path, () => "environment")
  const { document, issues: misshapen } = decodeDocument(content, interpolated, secrets)
  const options: BuildOptions = {
    catalog: yield* Effect.mapError(catalogOf(document.plugins, path, secrets), (unloaded) => {
      const issues = [...environment.issues, ...unfilled, ...misshapen, ...unloaded]
      return new ConfigurationError({ source, issues })
    }),
    heartbeat: document.heartbeat,
    interpolated,
    scrub: secrets.scrub
  }
  const drafts = draft(document, environment.values)
  const [wrong, built] = yield* Effect.partition(drafts, (one) => build(one, options))
  // A variable that is missing is told once, and not again as a value that is wrong.
  const consequences = (issue: ConfigIssue) => unfilled.some((other) => overlap(issue, other))
  const issues = [
    ...environment.issues,
    ...unfilled,
    ...[...misshapen, ...wrong.flat()].filter((issue) => !consequences(issue))
  ]
  if (issues.length > 0) return yield* new ConfigurationError({ source, issues })
  const listed = Option.isSome(path) ? built.filter((service) => service.configured) : built
  return {
    name: document.name ?? environment.values.get("HOLTER_NAME") ?? "Holter",
    source,
    services: inOrder(
      built.some((service) => service.configured)
        ? listed
        : yield* withoutConfiguration(listed, options)
    ),
    secrets,
    warnings: laterSections(document).map(
      (section) => `${source}: "${section}" is not used by this version of holter`
    ),
    environment: environment.values
  } satisfies Configuration
})

const inOrder = (services: ReadonlyArray<Service>) =>
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
  const { content, interpolated, path, secrets, unfilled } = yield* read(flag)
  const { document, issues: misshapen } = decodeDocument(content, interpolated, secrets)
  const fail = (issues: ReadonlyArray<ConfigIssue>) =>
    new ConfigurationError({ source: Option.getOrElse(path, () => "environment"), issues })
  const issues = [...unfilled, ...misshapen].filter((issue) => issue.path[0] === "plugins")
  if (issues.length > 0) return yield* fail(issues)
  return yield* Effect.mapError(catalogOf(document.plugins, path, secrets), fail)
})

const read = (flag: Option.Option<string>) =>
  Effect.gen(function* () {
    const file = Option.getOrElse(yield* ConfigFile.load(flag), () => noFile)
    const environment = yield* readEnvironment
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
  plugins: ReadonlyArray<string>,
  path: Option.Option<string>,
  secrets: Secrets.Secrets
) =>
  Effect.mapError(
    Catalog.withPlugins(
      plugins,
      Option.getOrElse(path, () => "")
    ),
    // A plugin may say what it read.
    secrets.scrubAll
  )

/** Variables that are read beside those of the known services. */
const otherVariables = ["HOLTER_NAME", "ADMIN_TELEGRAM_CHAT_ID"]

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
    secretName.test(name) ? [value] : Secrets.collect(value)
  )
  return { values, issues, secrets }
})

const secretName = /TOKEN|KEY|SECRET|PASSWORD/

/** The document, without what is wrong in it, so that the rest is looked at in the same run. */
const decodeDocument = (
  content: unknown,
  interpolated: ReadonlySet<string>,
  secrets: Secrets.Secrets
) => {
  const decode = (input: unknown) =>
    withNumbers([], interpolated)(input, (filled) =>
      ParseResult.decodeUnknownEither(
        Document,
        strictly
      )(filled).pipe(Either.mapLeft((issue) => ConfigIssues.fromParseIssue(issue, secrets.scrub)))
    )
  return Either.match(decode(content), {
    onRight: (document) => ({ document, issues: [] }),
    onLeft: (issues) => {
      const rest = Either.map(decode(without(content, issues)), (document) => ({
        document,
        issues
      }))
      return Either.getOrElse(rest, () => ({ document: Document.make({}), issues }))
    }
  })
}

const strictly = { errors: "all", onExcessProperty: "error" } as const

/** Drops the sections, and of `checks` the entries, that these issues are in. */
const without = (content: unknown, issues: ReadonlyArray<ConfigIssue>): unknown => {
  if (!Predicate.isRecord(content)) return content
  const isWrong = (...path: ReadonlyArray<string>) =>
    issues.some((issue) => path.every((step, index) => issue.path[index] === step))
  const { checks } = content
  const sections = Object.entries(content).filter(([key]) => !isWrong(key))
  return isWrong("checks") && Predicate.isRecord(checks)
    ? {
        ...Object.fromEntries(sections),
        checks: Object.fromEntries(
          Object.entries(checks).filter(([key]) => !isWrong("checks", key))
        )
      }
    : Object.fromEntries(sections)
}

/** A service before its check is known to be right. */
interface Draft {
  readonly name: string
  readonly type: string
  readonly label: string | undefined
  /** Nothing when the service is known but not configured. */
  readonly entry: Readonly<Record<string, unknown>> | undefined
  /** Fields that come from a variable of the environment, which messages then name. */
  readonly variables: Readonly<Record<string, string>>
}

const draft = (
  document: Document,
  environment: ReadonlyMap<string, string>
): ReadonlyArray<Draft> => {
  const others = Object.entries(document.checks)
    .filter(([name]) => !Services.known.some((service) => service.name === name))
    .map(([name, entry]): Draft => {
      const { type, ...rest } = entry
      return { name, type: String(type), label: undefined, entry: rest, variables: {} }
    })
  const known = Services.known.map((service) =>
    draftKnown(service, document.checks[service.name], environment)
  )
  return [...known, ...others]
}

const draftKnown = (
  service: Services.KnownService,
  entry: Readonly<Record<string, unknown>> | undefined,
  environment: ReadonlyMap<string, string>
): Draft => {
  const { label, name } = service
  // The document's schema lets no entry pass without a type.
  const type = typeof entry?.["type"] === "string" ? entry["type"] : service.type
  const inFile = entry !== undefined
  // Another type under a known name is another service: the variables do not belong to it.
  const variables = type === service.type ? service.variables : {}
  const present = Object.entries(variables).filter(
    ([field, variable]) => environment.has(variable) && entry?.[field] === undefined
  )
  const fromEnvironment = Object.fromEntries(
    present.map(([field, variable]) => [field, environment.get(variable)])
  )
  const configured = inFile || present.some(([field]) => service.presence.includes(field))
  const { type: _, ...rest } = entry ?? {}
  return {
    name,
    type,
    label: type === service.type ? label : undefined,
    entry: configured ? { ...fromEnvironment, ...rest } : undefined,
    variables: Object.fromEntries(present)
  }
}

/** With nothing configured there is still something to watch: a database of Holter's own. */
const withoutConfiguration = (listed: ReadonlyArray<Service>, options: BuildOptions) =>
  Effect.gen(function* () {
    const url = yield* EmbeddedDatabase.ensure
    const machine = Services.machine.map(
      ({ name, type }): Draft => ({ name, type, label: undefined, entry: {}, variables: {} })
    )
    const database: Draft = {
      name: "database",
      type: "database",
      label: "database",
      entry: { url },
      variables: {}
    }
    const services = yield* Effect.forEach([database, ...machine], (one) =>
      build(one, options)
    ).pipe(Effect.mapError((issues) => new ConfigurationError({ source: "environment", issues })))
    return [...listed.filter((one) => one.name !== "database"), ...services]
  })

interface BuildOptions {
  readonly catalog: Catalog.Catalog
  readonly heartbeat: CheckPolicy.Settings
  readonly interpolated: ReadonlySet<string>
  readonly scrub: (text: string) => string
}

const build = (
  one: Draft,
  options: BuildOptions
): Effect.Effect<Service, ReadonlyArray<ConfigIssue>> =>
  Effect.gen(function* () {
    const plugin = options.catalog.get(one.type)
    if (plugin === undefined) {
      const expected = `one of ${[...options.catalog.keys()].join(", ")}`
      const found = JSON.stringify(options.scrub(one.type))
      return yield* Effect.fail([{ path: ["checks", one.name, "type"], expected, found }])
    }
    const { name, type } = one
    if (one.entry === undefined) {
      const label = one.label ?? name
      const layer = Check.layerNotConfigured({ name, type, label })
      return { name, label, configured: false, layer }
    }
    const check = yield* Catalog.load(plugin)
    const label = one.label ?? (name === check.name ? check.label : name)
    const [policy, fields] = split(one.entry)
    const lenient = withNumbers(["checks", one.name], options.interpolated)
    const settings = lenient(policy, decodeSettings(options.scrub))
    const layer = lenient(fields, (input) =>
      check.decode(
        input,
        { ...options.heartbeat, ...Either.getOrElse(settings, () => ({})), name },
        options.scrub
      )
    )
    const issues = [...leftOf(settings), ...leftOf(layer)].map((issue) => located(issue, one))
    return Either.isRight(layer) && issues.length === 0
      ? { name, label, configured: true, layer: layer.right }
      : yield* Effect.fail(issues)
  })

const leftOf = <A>(either: Either.Either<A, ReadonlyArray<ConfigIssue>>) =>
  Either.isLeft(either) ? either.left : []

/** An entry holds the policy of the check and the fields of its plugin side by side. */
const split = (entry: Readonly<Record<string, unknown>>) => {
  const isPolicy = ([key]: [string, unknown]) => key in CheckPolicy.Fields
  const entries = Object.entries(entry)
  return [
    Object.fromEntries(entries.filter(isPolicy)),
    Object.fromEntries(entries.filter((pair) => !isPolicy(pair)))
  ] as const
}

const decodeSettings = (scrub: (text: string) => string) => (policy: unknown) =>
  ParseResult.decodeUnknownEither(
    CheckPolicy.Settings,
    strictly
  )(policy).pipe(Either.mapLeft((issue) => ConfigIssues.fromParseIssue(issue, scrub)))

/** Names the variable where the value came from the environment, otherwise the path in the file. */
const located = (issue: ConfigIssue, one: Draft): ConfigIssue => {
  const [field, ...rest] = issue.path
  const variable = field === undefined ? undefined : one.variables[field]
  return {
    ...issue,
    path: variable === undefined ? ["checks", one.name, ...issue.path] : [variable, ...rest]
  }
}
