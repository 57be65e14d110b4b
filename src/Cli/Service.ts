/**
 * A service that the command line checks: its draft held to the fields of its plugin and made a
 * layer.
 */
import { Effect, Either, type Layer, ParseResult, type Schema, SchemaAST } from "effect"
import * as Check from "../Check/Check.js"
import type { DuplicateCheckError } from "../Check/CheckError.js"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as CheckPolicy from "../Check/CheckPolicy.js"
import type { CheckRegistry } from "../Check/CheckRegistry.js"
import * as Guidance from "../Check/Guidance.js"
import * as ConfigIssues from "../Plugin/ConfigIssues.js"
import * as ConfigSecrets from "../Plugin/ConfigSecrets.js"
import * as Catalog from "./Catalog.js"
import { withNumbers } from "./Numbers.js"
import type { ServiceDraft } from "./ServiceDraft.js"

export interface Service {
  readonly name: string
  readonly label: string
  readonly link?: string | undefined
  readonly runbook?: string | undefined
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
      const entry = draft.entry ?? {}
      return yield* Effect.fail([
        { path: ["checks", draft.name, "type"], expected, found },
        ...[
          ...settingsOf(pick(entry, ofPolicy), draft, options).issues,
          ...guidanceOf(entry, draft, options).issues
        ].map((issue) => located(issue, draft))
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
    const { fields, policy, unknown } = split(draft.entry, check)
    const settings = settingsOf(policy, draft, options)
    const set = { ...options.heartbeat, ...settings.right }
    const given = guidanceOf(draft.entry, draft, options)
    const guidance = {
      label: draft.label ?? (name === check.name ? check.label : name),
      ...Guidance.of({ link: check.link, runbook: check.runbook }),
      ...given.right
    }
    const layer = withNumbers(["checks", name], options.interpolated)(fields, (input) =>
      check.decode(input, { ...set, ...guidance, name }, options.scrub)
    )
    const issues = [
      ...[...unknown, ...settings.issues, ...given.issues].map((issue) => located(issue, draft)),
      ...leftOf(layer).flatMap((issue) =>
        placed(issue, draft, { check, policy, settings }, options)
      )
    ]
    const whole = CheckPolicy.override(check.policy, set)
    return Either.isRight(layer) && issues.length === 0
      ? {
          name,
          ...guidance,
          configured: true,
          policy: whole,
          layer: layer.right,
          // Of the retry what is written: what is built from it is another one each time.
          entry: { type, ...guidance, fields, policy: { ...whole, retry: set.retry } },
          secrets: ConfigSecrets.collect(check.config, fields)
        }
      : yield* Effect.fail(issues)
  })

const leftOf = <A>(either: Either.Either<A, ReadonlyArray<ConfigIssue>>) =>
  Either.isLeft(either) ? either.left : []

/**
 * An entry holds the policy of the check, what people are to know of it, and the fields of its plugin side
 * by side. None knows the keys of the others, so what belongs to none is found here.
 */
const split = (entry: Entry, check: Check.Any) => {
  const ofPlugin = SchemaAST.getPropertySignatures(check.config.ast)
    .map(({ name }) => String(name))
    .filter((name) => !ofEveryCheck.includes(name))
  const known = [...ofPlugin, "type", ...ofEveryCheck]
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
const ofGuidance: ReadonlyArray<string> = Object.keys(Guidance.Fields)
const ofEveryCheck = [...ofPolicy, ...ofGuidance]

const pick = (entry: Entry, keys: ReadonlyArray<string>): Entry =>
  Object.fromEntries(Object.entries(entry).filter(([key]) => keys.includes(key)))

interface Own<A> {
  /** What is right in it. */
  readonly right: A
  readonly issues: ReadonlyArray<ConfigIssue>
}

type OwnSettings = Own<CheckPolicy.Settings>

const settingsOf = (policy: Entry, draft: ServiceDraft, options: Options): OwnSettings =>
  own(CheckPolicy.Settings, policy, draft, options)

const guidanceOf = (entry: Entry, draft: ServiceDraft, options: Options): Own<Guidance.Guidance> =>
  own(Guidance.Guidance, pick(entry, ofGuidance), draft, options)

/** What every check has, of one kind. What is wrong in it hides nothing that is right. */
const own = <A extends object, I>(
  schema: Schema.Schema<Partial<A>, I>,
  input: Entry,
  { name }: ServiceDraft,
  { interpolated, scrub }: Options
): Own<Partial<A>> => {
  const decode = (some: Entry) =>
    withNumbers(["checks", name], interpolated)(some, (filled) =>
      ParseResult.decodeUnknownEither(schema, { errors: "all", onExcessProperty: "error" })(
        filled
      ).pipe(Either.mapLeft((issue) => ConfigIssues.fromParseIssue(issue, scrub)))
    )
  return Either.match(decode(input), {
    onRight: (right) => ({ right, issues: [] }),
    onLeft: (issues) => {
      const wrong = new Set(issues.map(({ path }) => path[0]))
      const rest = pick(
        input,
        Object.keys(input).filter((key) => !wrong.has(key))
      )
      return { right: Either.getOrElse(decode(rest), () => ({})), issues }
    }
  })
}

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
