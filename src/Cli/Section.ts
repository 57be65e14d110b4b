/**
 * A part of the configuration file is a Schema, and a function that says what must hold beside it. Where a
 * value is a variable and nothing else, a text may stand for a number. Pure.
 */
import { Either, type Schema } from "effect"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as Decoder from "../Plugin/Decoder.js"
import { withNumbers } from "./Numbers.js"

/** What is known of the whole file. */
export interface Reading {
  /** Paths of values that are a variable and nothing else. */
  readonly interpolated: ReadonlySet<string>
  /** Takes known secrets out of what was found. */
  readonly scrub: (text: string) => string
}

type Issues = ReadonlyArray<ConfigIssue>

/** The part that lies at a path, or everything that is wrong in it, by its path within the part. */
export const decode =
  <Fields extends Schema.Struct.Fields>(
    schema: Schema.Struct<Fields>,
    path: ReadonlyArray<string>,
    { interpolated, scrub }: Reading,
    rules: Decoder.Rules = () => []
  ) =>
  (content: unknown): Decoder.Checked<Schema.Struct.Type<Fields>> =>
    withNumbers(path, interpolated)(content, (filled) =>
      Decoder.decode(schema, rules, filled, scrub)
    )

/** The same, by its path in the file. */
export const decodeAt =
  <Fields extends Schema.Struct.Fields>(
    schema: Schema.Struct<Fields>,
    path: ReadonlyArray<string>,
    reading: Reading,
    rules?: Decoder.Rules
  ) =>
  (content: unknown): Decoder.Checked<Schema.Struct.Type<Fields>> =>
    Either.mapLeft(decode(schema, path, reading, rules)(content), (issues) =>
      issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] }))
    )

/** What is wrong, if anything is. */
export const issuesOf = <A>(checked: Either.Either<A, Issues>): Issues =>
  Either.isLeft(checked) ? checked.left : []
