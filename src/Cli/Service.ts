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
import * as Catalog from "./Catalog.js"
import { withNumbers } from "./Numbers.js"
import type { ServiceDraft } from "./ServiceDraft.js"

export interface Service {
  readonly name: string
  readonly label: string
  readonly configured: boolean
  readonly policy: CheckPolicy.CheckPolicy
  readonly layer: Layer.Layer<never, DuplicateCheckError, CheckRegistry>
}

export interface Options {
  readonly catalog: Catalog.Checks
  readonly heartbeat: CheckPolicy.Settings
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
      const expected = `one of ${[...options.catalog.keys()].join(", ")}`
      const found = ConfigIssues.show(draft.type, options.scrub)
      return yield* Effect.fail([{ path: ["checks", draft.name, "type"], expected, found }])
    }
    const { name, type } = draft
    if (draft.entry === undefined) {
      const label = draft.label ?? name
      const layer = Check.layerNotConfigured({ name, type, label })
      return { name, label, configured: false, policy: CheckPolicy.defaults, layer }
    }
    const check = yield* Catalog.load(plugin)
    const label = draft.label ?? (name === check.name ? check.label : name)
    const { fields, policy, unknown } = split(draft.entry, check)
    const lenient = withNumbers(["checks", name], options.interpolated)
    const settings = lenient(policy, decodeSettings(options.scrub))
    const set = { ...options.heartbeat, ...Either.getOrElse(settings, () => ({})) }
    const layer = lenient(fields, (input) => check.decode(input, { ...set, name }, options.scrub))
    const issues = [...unknown, ...leftOf(settings), ...leftOf(layer)]
    return Either.isRight(layer) && issues.length === 0
      ? {
          name,
          label,
          configured: true,
          policy: CheckPolicy.override(check.policy, set),
          layer: layer.right
        }
      : yield* Effect.fail(issues.map((issue) => located(issue, draft)))
  })

const leftOf = <A>(either: Either.Either<A, ReadonlyArray<ConfigIssue>>) =>
  Either.isLeft(either) ? either.left : []

/**
 * An entry holds the policy of the check and the fields of its plugin side by side. Neither knows
 * the keys of the other, so what belongs to none is found here.
 */
const split = (entry: Readonly<Record<string, unknown>>, check: Check.Any) => {
  const ofPolicy = Object.keys(CheckPolicy.Fields)
  const ofPlugin = SchemaAST.getPropertySignatures(check.config.ast)
    .map(({ name }) => String(name))
    .filter((name) => !ofPolicy.includes(name))
  const pick = (keys: ReadonlyArray<string>) =>
    Object.fromEntries(Object.entries(entry).filter(([key]) => keys.includes(key)))
  const known = [...ofPlugin, "type", ...ofPolicy]
  return {
    fields: pick(ofPlugin),
    policy: pick(ofPolicy),
    unknown: Object.entries(entry)
      .filter(([key]) => !known.includes(key))
      .map(([key, value]): ConfigIssue => ConfigIssues.noSuchKey([key], known, value))
  }
}

const decodeSettings = (scrub: (text: string) => string) => (policy: unknown) =>
  ParseResult.decodeUnknownEither(CheckPolicy.Settings, {
    errors: "all",
    onExcessProperty: "error"
  })(policy).pipe(Either.mapLeft((issue) => ConfigIssues.fromParseIssue(issue, scrub)))

/** Names the variable where the value came from the environment, otherwise the path in the file. */
const located = (issue: ConfigIssue, draft: ServiceDraft): ConfigIssue => {
  const [field, ...rest] = issue.path
  const variable = field === undefined ? undefined : draft.variables[field]
  return {
    ...issue,
    path: variable === undefined ? ["checks", draft.name, ...issue.path] : [variable, ...rest]
  }
}
