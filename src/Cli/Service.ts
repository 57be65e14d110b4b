/**
 * A service that the command line checks: its draft held to the fields of its plugin and made a
 * layer.
 */
import { Effect, Either, type Layer, ParseResult, SchemaAST } from "effect"
import * as Check from "../Check/Check.js"
import type { ConfigIssue, DuplicateCheckError } from "../Check/CheckError.js"
import * as CheckPolicy from "../Check/CheckPolicy.js"
import type { CheckRegistry } from "../Check/CheckRegistry.js"
import * as ConfigIssues from "../Check/ConfigIssues.js"
import * as ConfigSecrets from "../Check/ConfigSecrets.js"
import * as Catalog from "./Catalog.js"
import { withNumbers } from "./Numbers.js"
import type { ServiceDraft } from "./ServiceDraft.js"

export interface Service {
  readonly name: string
  readonly label: string
  readonly configured: boolean
  readonly policy: CheckPolicy.CheckPolicy
  readonly layer: Layer.Layer<never, DuplicateCheckError, CheckRegistry>
  /** All that makes the check what it is: two of the same entry are the same check. */
  readonly entry: unknown
  /** What its fields hold that nobody may see. */
  readonly secrets: ReadonlyArray<ConfigSecrets.Found>
}

export interface Options {
  readonly catalog: Catalog.Checks
  readonly heartbeat: CheckPolicy.Settings
  /** The parts of `heartbeat` that are wrong, so that it is not known what they were to say. */
  readonly unknown: ReadonlySet<string>
  /** Whether all plugins could be loaded. */
  readonly complete: boolean
  /** Paths of values in the file that are a variable and nothing else. */
  readonly interpolated: ReadonlySet<string>
  readonly scrub: (text: string) => string
}

/** Fails with all that is wrong in the draft, each by its variable or its path in the file. */
export const make = (
  draft: ServiceDraft,
  options: Options
): Effect.Effect<Service, ReadonlyArray<ConfigIssue>> =>
  Effect.gen(function* () {
    const plugin = options.catalog.get(draft.type)
    if (plugin === undefined) {
      const expected = Catalog.oneOf(options.catalog, options.complete)
      const found = ConfigIssues.show(draft.type, options.scrub)
      const policy = pick(draft.entry ?? {}, ofPolicy)
      return yield* Effect.fail([
        { path: ["checks", draft.name, "type"], expected, found },
        ...settingsOf(policy, draft, options).issues.map((issue) => located(issue, draft))
      ])
    }
    const { name, type } = draft
    if (draft.entry === undefined) {
      const label = draft.label ?? name
      const layer = Check.layerNotConfigured({ name, type, label })
      const policy = CheckPolicy.defaults
      return { name, label, configured: false, policy, layer, entry: undefined, secrets: [] }
    }
    const check = yield* Catalog.load(plugin)
    const label = draft.label ?? (name === check.name ? check.label : name)
    const { fields, policy, unknown } = split(draft.entry, check)
    const settings = settingsOf(policy, draft, options)
    const set = { ...options.heartbeat, ...settings.right }
    const layer = withNumbers(["checks", name], options.interpolated)(fields, (input) =>
      check.decode(input, { ...set, name }, options.scrub)
    )
    const issues = [
      ...[...unknown, ...settings.issues].map((issue) => located(issue, draft)),
      ...leftOf(layer).flatMap((issue) =>
        placed(issue, draft, { check, policy, settings }, options)
      )
    ]
    const whole = CheckPolicy.override(check.policy, set)
    return Either.isRight(layer) && issues.length === 0
      ? {
          name,
          label,
          configured: true,
          policy: whole,
          layer: layer.right,
          entry: { type, label, fields, policy: whole },
          secrets: ConfigSecrets.collect(check.config, fields)
        }
      : yield* Effect.fail(issues)
  })

const leftOf = <A>(either: Either.Either<A, ReadonlyArray<ConfigIssue>>) =>
  Either.isLeft(either) ? either.left : []

/**
 * An entry holds the policy of the check and the fields of its plugin side by side. Neither knows
 * the keys of the other, so what belongs to none is found here.
 */
const split = (entry: Entry, check: Check.Any) => {
  const ofPlugin = SchemaAST.getPropertySignatures(check.config.ast)
    .map(({ name }) => String(name))
    .filter((name) => !ofPolicy.includes(name))
  const known = [...ofPlugin, "type", ...ofPolicy]
  return {
    fields: pick(entry, ofPlugin),
    policy: pick(entry, ofPolicy),
    unknown: Object.entries(entry)
      .filter(([key]) => !known.includes(key))
      .map(([key, value]): ConfigIssue => ConfigIssues.noSuchKey([key], known, value))
  }
}

type Entry = Readonly<Record<string, unknown>>

const ofPolicy: ReadonlyArray<string> = Object.keys(CheckPolicy.Fields)

const pick = (entry: Entry, keys: ReadonlyArray<string>): Entry =>
  Object.fromEntries(Object.entries(entry).filter(([key]) => keys.includes(key)))

interface OwnSettings {
  /** What is right in them. */
  readonly right: CheckPolicy.Settings
  readonly issues: ReadonlyArray<ConfigIssue>
}

const settingsOf = (policy: Entry, { name }: ServiceDraft, options: Options): OwnSettings => {
  const decode = (input: Entry) =>
    withNumbers(["checks", name], options.interpolated)(input, decodeSettings(options.scrub))
  return Either.match(decode(policy), {
    onRight: (right) => ({ right, issues: [] }),
    onLeft: (issues) => {
      const wrong = new Set(issues.map(({ path }) => path[0]))
      const rest = pick(
        policy,
        ofPolicy.filter((key) => !wrong.has(key))
      )
      return { right: Either.getOrElse(decode(rest), () => ({})), issues }
    }
  })
}

const decodeSettings = (scrub: (text: string) => string) => (policy: unknown) =>
  ParseResult.decodeUnknownEither(CheckPolicy.Settings, {
    errors: "all",
    onExcessProperty: "error"
  })(policy).pipe(Either.mapLeft((issue) => ConfigIssues.fromParseIssue(issue, scrub)))

interface Parts {
  readonly check: Check.Any
  /** As the entry has it. */
  readonly policy: Entry
  readonly settings: OwnSettings
}

/** Where an issue belongs that may be one of the policy: to the entry, to `heartbeat`, or to neither. */
const placed = (
  issue: ConfigIssue,
  draft: ServiceDraft,
  { check, policy, settings }: Parts,
  { heartbeat, unknown }: Options
): ReadonlyArray<ConfigIssue> => {
  const [field = ""] = issue.path
  if (!ofPolicy.includes(field)) return [located(issue, draft)]
  const isUnknown = (name: string) =>
    policy[name] === undefined
      ? unknown.has(name)
      : settings.issues.some(({ path }) => path[0] === name)
  if ((CheckPolicy.compared[field] ?? [field]).some(isUnknown)) return []
  if (policy[field] !== undefined) return [located(issue, draft)]
  const isAllOfIt = CheckPolicy.issues(check.policy, heartbeat).some(
    ({ path }) => path[0] === field
  )
  return isAllOfIt
    ? [{ ...issue, path: ["heartbeat", ...issue.path] }]
    : [located({ ...issue, found: `${issue.found} (of \`heartbeat\`)` }, draft)]
}

/** Names the variable where the value came from the environment, otherwise the path in the file. */
const located = (issue: ConfigIssue, draft: ServiceDraft): ConfigIssue => {
  const [field, ...rest] = issue.path
  const variable = field === undefined ? undefined : draft.variables[field]
  return {
    ...issue,
    path: variable === undefined ? ["checks", draft.name, ...issue.path] : [variable, ...rest]
  }
}
