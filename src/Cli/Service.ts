/**
 * A service that the command line checks: its draft held to the fields of its plugin and made a
 * layer.
 */
import { Effect, Either, type Layer, type Schema } from "effect"
import * as Check from "../Check/Check.js"
import type { DuplicateCheckError } from "../Check/CheckError.js"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as CheckPolicy from "../Check/CheckPolicy.js"
import type { CheckRegistry } from "../Check/CheckRegistry.js"
import * as Guidance from "../Check/Guidance.js"
import type * as ConfigSecrets from "../Plugin/ConfigSecrets.js"
import type * as Catalog from "./Catalog.js"
import * as PluginEntry from "./PluginEntry.js"
import * as Section from "./Section.js"
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

export interface Options extends PluginEntry.Options {
  readonly catalog: Catalog.Catalog["checks"]
  readonly heartbeat: CheckPolicy.Settings
  /** The parts of `heartbeat` that are wrong, so that it is not known what they were to say. */
  readonly unknown: ReadonlySet<string>
}

/** Fails with all that is wrong in the draft, each by its variable or its path in the file. */
export const make = (
  draft: ServiceDraft,
  options: Options
): Effect.Effect<Service, ReadonlyArray<ConfigIssue>> =>
  Effect.gen(function* () {
    const { name, type } = draft
    // Known without its plugin, which is not loaded.
    if (draft.entry === undefined) {
      const label = draft.label ?? name
      const layer = Check.layerNotConfigured({ name, type, label })
      const policy = CheckPolicy.defaults
      return { name, label, configured: false, policy, layer, entry: undefined, secrets: [] }
    }
    const path = ["checks", name]
    const located = PluginEntry.located(path, draft.variables)
    const policy = PluginEntry.pick(draft.entry, ofPolicy)
    const settings = settingsOf(policy, draft, options)
    const given = guidanceOf(draft.entry, draft, options)
    const found = yield* Effect.either(PluginEntry.find(options.catalog, type, path, options))
    if (Either.isLeft(found)) {
      return yield* Effect.fail([found.left, ...[...settings.issues, ...given.issues].map(located)])
    }
    const check = found.right
    const { decode, fields, secrets, unknown } = PluginEntry.open(
      draft.entry,
      check,
      ofEveryCheck,
      path,
      options
    )
    const set = { ...options.heartbeat, ...settings.right }
    const guidance = {
      label: draft.label ?? (name === check.name ? check.label : name),
      ...Guidance.of({ link: check.link, runbook: check.runbook }),
      ...given.right
    }
    const layer = decode((input) =>
      check.decode(input, { ...set, ...guidance, name }, options.scrub)
    )
    const issues = [
      ...[...unknown, ...settings.issues, ...given.issues].map(located),
      ...Section.issuesOf(layer).flatMap((issue) =>
        placed(issue, located, { check, policy, settings }, options)
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
          secrets
        }
      : yield* Effect.fail(issues)
  })

const ofPolicy: ReadonlyArray<string> = Object.keys(CheckPolicy.Fields)
const ofGuidance: ReadonlyArray<string> = Object.keys(Guidance.Fields)
const ofEveryCheck = [...ofPolicy, ...ofGuidance]

interface Own<A> {
  /** What is right in it. */
  readonly right: A
  readonly issues: ReadonlyArray<ConfigIssue>
}

type OwnSettings = Own<CheckPolicy.Settings>

const settingsOf = (
  policy: PluginEntry.Fields,
  draft: ServiceDraft,
  options: Options
): OwnSettings => own(CheckPolicy.Settings, policy, draft, options)

const guidanceOf = (
  entry: PluginEntry.Fields,
  draft: ServiceDraft,
  options: Options
): Own<Guidance.Guidance> =>
  own(Guidance.Guidance, PluginEntry.pick(entry, ofGuidance), draft, options)

/** What every check has, of one kind. What is wrong in it hides nothing that is right. */
const own = <Fields extends Schema.Struct.Fields>(
  schema: Schema.Struct<Fields>,
  input: PluginEntry.Fields,
  { name }: ServiceDraft,
  options: Options
): Own<Partial<Schema.Struct.Type<Fields>>> => {
  const decode = Section.decode(schema, ["checks", name], options)
  return Either.match(decode(input), {
    onRight: (right) => ({ right, issues: [] }),
    onLeft: (issues) => {
      const wrong = new Set(issues.map(({ path }) => path[0]))
      const rest = PluginEntry.pick(
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
  readonly policy: PluginEntry.Fields
  readonly settings: OwnSettings
}

/** Where an issue belongs that may be one of the policy: to the entry, to `heartbeat`, or to neither. */
const placed = (
  issue: ConfigIssue,
  located: (issue: ConfigIssue) => ConfigIssue,
  { check, policy, settings }: Parts,
  { heartbeat, unknown }: Options
): ReadonlyArray<ConfigIssue> => {
  const [field = ""] = issue.path
  if (!ofPolicy.includes(field)) return [located(issue)]
  const isUnknown = (name: string) =>
    policy[name] === undefined
      ? unknown.has(name)
      : settings.issues.some(({ path }) => path[0] === name)
  if ((CheckPolicy.compared[field] ?? [field]).some(isUnknown)) return []
  if (policy[field] !== undefined) return [located(issue)]
  const isAllOfIt = CheckPolicy.issues(check.policy, heartbeat).some(
    ({ path }) => path[0] === field
  )
  return isAllOfIt
    ? [{ ...issue, path: ["heartbeat", ...issue.path] }]
    : [located({ ...issue, found: `${issue.found} (of \`heartbeat\`)` })]
}
