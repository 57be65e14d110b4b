/**
 * The configuration of a plugin: held to the same rules whether code or a file wrote it, with
 * everything that is wrong told at once.
 *
 * @internal
 */
import { Either, ParseResult, Predicate, Schema } from "effect"
import * as Secrets from "../Common/Secrets.js"
import type { ConfigIssue } from "./ConfigIssue.js"
import * as ConfigIssues from "./ConfigIssues.js"
import * as ConfigSecrets from "./ConfigSecrets.js"

/** What must hold beside the fields one by one, looked at as they were given. */
export type Rules = (given: Readonly<Record<string, unknown>>) => ReadonlyArray<ConfigIssue>

export type Checked<A> = Either.Either<A, ReadonlyArray<ConfigIssue>>

/** What a configuration holds that is not shown, as code or as a file wrote it. */
export const secretsOf = (config: Schema.Schema.All, input: unknown): Secrets.Secrets =>
  Secrets.fromConfig([input, ConfigSecrets.collect(config, input)])

/** The defaults filled in, nothing else looked at. */
const complete = <Fields extends Schema.Struct.Fields>(
  config: Schema.Struct<Fields>,
  input: object
): Schema.Struct.Type<Fields> =>
  config.make(input as Parameters<typeof config.make>[0], {
    disableValidation: true
  }) as Schema.Struct.Type<Fields> // the same type, which tsc does not reduce for generic fields

/** The fields that have a value where none is given. */
export const defaults = <Fields extends Schema.Struct.Fields>(
  config: Schema.Struct<Fields>
): Readonly<Record<string, unknown>> => ({ ...(complete(config, {}) as object) })

/** A configuration that code wrote: defaults filled in, refinements and rules checked. */
export const validate = <Fields extends Schema.Struct.Fields>(
  config: Schema.Struct<Fields>,
  rules: Rules,
  input: object
): Checked<Schema.Struct.Type<Fields>> => {
  const whole = complete(config, input)
  return ParseResult.validateEither(
    Schema.typeSchema(config),
    strictly
  )(whole).pipe(
    Either.mapBoth({
      onLeft: (issue) =>
        ConfigIssues.fromParseIssue(issue, secretsOf(config, input).scrub, config.ast),
      onRight: () => whole
    }),
    withRules(rules, input)
  )
}

/** A configuration that a file or the environment wrote. */
export const decode = <Fields extends Schema.Struct.Fields>(
  config: Schema.Struct<Fields>,
  rules: Rules,
  input: unknown,
  scrub: (text: string) => string = secretsOf(config, input).scrub
): Checked<Schema.Struct.Type<Fields>> =>
  ParseResult.decodeUnknownEither(
    // Fields of a plugin need no services: `Definition.config` is decoded here and nowhere else.
    config as unknown as Schema.Schema<Schema.Struct.Type<Fields>, Schema.Struct.Encoded<Fields>>,
    strictly
  )(input).pipe(
    Either.mapLeft((issue) => ConfigIssues.fromParseIssue(issue, scrub)),
    // A struct without fields is to Schema any value that there is.
    withRules(Object.keys(config.fields).length === 0 ? noKeys : rules, input)
  )

const noKeys: Rules = (given) =>
  Object.entries(given).map(([key, value]) => ConfigIssues.noSuchKey([key], [], value))

const strictly = { errors: "all", onExcessProperty: "error" } as const

/** What a field's own schema said of it goes before what a rule says of the same field. */
const withRules =
  (rules: Rules, input: unknown) =>
  <A>(checked: Checked<A>): Checked<A> => {
    const own = Either.isLeft(checked) ? checked.left : []
    const isSaid = (issue: ConfigIssue) => own.some((other) => overlap(issue.path, other.path))
    const more = Predicate.isRecord(input) ? rules(input).filter((issue) => !isSaid(issue)) : []
    return more.length === 0 ? checked : Either.left([...own, ...more])
  }

/** Of the same field, or of a part of it. */
const overlap = (one: ReadonlyArray<string>, other: ReadonlyArray<string>): boolean =>
  one.every((step, index) => index >= other.length || step === other[index])
