/** The laws that need no run: names, fields, samples, errors. */
import {
  Arbitrary,
  Effect,
  Either,
  FastCheck,
  type ParseResult,
  Schema,
  SchemaAST as AST
} from "effect"
import { formatIssue } from "../../Plugin/ConfigIssue.js"
import * as CheckPolicy from "../../Check/CheckPolicy.js"
import * as FieldSchema from "../../Plugin/JsonSchema.js"
import { type ContractViolation, holds } from "./ContractViolation.js"
import { type Configured, leakIn, type Samples, shown, type Subject } from "./Subject.js"

type Law = Effect.Effect<void, ContractViolation>

/** Types and names are snake_case, as they become keys; a person can read the rest. */
export const names = (check: Subject): Law =>
  Effect.gen(function* () {
    const expect = holds(check, "names")
    for (const [what, value] of [
      ["type", check.type],
      ["name", check.name]
    ] as const) {
      const valid = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/.test(value)
      yield* expect(valid, `a ${what} in snake_case`, JSON.stringify(value))
    }
    yield* expect(check.label.trim() !== "", "a label", "an empty one")
    yield* expect(check.description.trim() !== "", "a description", "an empty one")
  })

/** A file has the fields of a check and of its policy beside each other. */
export const policyKeys = (check: Subject): Law => {
  const reserved = [...Object.keys(CheckPolicy.Fields), "type"]
  const clashes = fieldsOf(check.config.ast).filter((field) => reserved.includes(field))
  return holds(check, "fields")(
    clashes.length === 0,
    `fields other than ${reserved.join(", ")}`,
    clashes.join(", ")
  )
}

const fieldsOf = (ast: AST.AST): ReadonlyArray<string> =>
  AST.getPropertySignatures(AST.encodedAST(ast)).map(({ name }) => String(name))

/** A sample that was read, written and read again is what it was, and JSON can carry it. */
export const roundTrip = (check: Configured, samples: Samples): Law =>
  Effect.forEach(
    samples.valid,
    (sample) =>
      Effect.gen(function* () {
        const expect = holds(check, "configuration")
        const written = yield* Effect.either(rewritten(check, sample))
        if (Either.isLeft(written)) {
          return yield* expect(false, `${shown(samples, sample)} to decode and encode`, "an error")
        }
        const text = JSON.stringify(written.right)
        const again = yield* Effect.either(rewritten(check, JSON.parse(text)))
        const same = Either.isRight(again) && JSON.stringify(again.right) === text
        return yield* expect(same, "the same after writing and reading again", "a difference")
      }),
    { discard: true }
  )

const rewritten = (
  check: Configured,
  sample: unknown
): Effect.Effect<unknown, ParseResult.ParseError> =>
  Effect.flatMap(
    Schema.decodeUnknown(check.config, { onExcessProperty: "error" })(sample),
    Schema.encodeUnknown(check.config)
  )

/** Editors and `holter plugins describe` show what each field means. */
export const descriptions = (check: Configured): Law =>
  Effect.gen(function* () {
    const expect = holds(check, "descriptions")
    const made = yield* Effect.either(Effect.try(() => FieldSchema.ofFields(check.config)))
    if (Either.isLeft(made)) return yield* expect(false, "a JSON Schema", "none: it cannot be made")
    const { $defs, properties } = made.right
    const bare = Object.entries(properties)
      .filter(([, property]) => !FieldSchema.isDescribed(property, $defs))
      .map(([name]) => name)
    return yield* expect(
      bare.length === 0,
      "a description of every field",
      `none of ${bare.join(", ")}`
    )
  })

/** What is wrong is named by its path, expectation and finding, and no secret is. */
export const refusals = (check: Configured, samples: Samples): Law =>
  Effect.gen(function* () {
    const expect = holds(check, "refusals")
    for (const sample of [...samples.invalid, { ...asRecord(samples.valid[0]), nosuchfield: 1 }]) {
      const decoded = check.decode(sample)
      if (Either.isRight(decoded)) {
        return yield* expect(false, `${shown(samples, sample)} to be refused`, "that it was taken")
      }
      const text = decoded.left.map(formatIssue).join("\n")
      yield* expect(text !== "", "an issue", "none")
      yield* expect(leakIn(samples, text) === undefined, "no secret in the issues", "one")
    }
  })

const asRecord = (sample: unknown): object =>
  typeof sample === "object" && sample !== null ? sample : {}

/**
 * Every reason is one of a closed list, and every error says something, whatever caused it, that
 * does not repeat a secret of its cause.
 */
export const errors = (check: Subject, samples: Samples): Law =>
  Effect.gen(function* () {
    const expect = holds(check, "errors")
    const encoded = Schema.encodedSchema(check.error)
    const reason = AST.getPropertySignatures(encoded.ast).find(({ name }) => name === "reason")
    yield* expect(reason !== undefined, "a field `reason`", "none")
    if (reason === undefined) return
    yield* expect(
      isLiteral(reason.type),
      "a `reason` that is a literal or a union of them",
      "another"
    )
    const members: ReadonlyArray<AST.AST> = AST.isUnion(reason.type)
      ? reason.type.types
      : [reason.type]
    const reasons = members.filter(AST.isLiteral).map(({ literal }) => String(literal))
    const sampled = yield* Effect.either(Effect.try(() => sample(check.error)))
    // An error schema that cannot be sampled is judged by the errors of real runs.
    const candidates = Either.getOrElse(sampled, () => [])
    for (const candidate of candidates) {
      for (const name of reasons) {
        const error = yield* Effect.either(
          Schema.encodeUnknown(check.error)(candidate).pipe(
            Effect.map((fields) => ({ ...asRecord(fields), reason: name, ...caused(samples) })),
            Effect.flatMap((fields) => Schema.decodeUnknown(check.error)(fields))
          )
        )
        if (Either.isLeft(error)) continue
        const message = messageOf(error.right)
        yield* expect(
          message !== undefined && message.trim() !== "",
          `a message for the reason ${name}`,
          "none"
        )
        yield* expect(
          leakIn(samples, message ?? "") === undefined,
          "a message that does not repeat the secret in its cause",
          `one that does (${name})`
        )
      }
    }
  })

/** Drivers put connection strings into the messages of their errors. */
const caused = (samples: Samples): object => {
  const [secret] = samples.secrets ?? []
  return secret === undefined ? {} : { cause: { name: "Error", message: `cannot use ${secret}` } }
}

const isLiteral = (ast: AST.AST): boolean =>
  AST.isUnion(ast) ? ast.types.every(isLiteral) : AST.isLiteral(ast)

const sample = (schema: Schema.Schema.AnyNoContext): ReadonlyArray<unknown> =>
  FastCheck.sample(Arbitrary.make(schema), { numRuns: 5, seed: 1 })

const messageOf = (error: unknown): string | undefined =>
  typeof error === "object" &&
  error !== null &&
  "message" in error &&
  typeof error.message === "string"
    ? error.message
    : undefined
