/** What is wrong in a configuration, in words: where, what was expected, what was found. */
import { Array as Arr, Duration, Inspectable, Option, ParseResult, SchemaAST as AST } from "effect"
import * as Secrets from "../Common/Secrets.js"
import type { ConfigIssue } from "./ConfigIssue.js"
import { formOf } from "./Annotation.js"
import * as Secrecy from "./Secrecy.js"

/**
 * All issues of a failed decoding, as far as it looked (`errors: "all"`). What the schema knows to be
 * secret, or to hold a secret, is never shown; `scrub` takes the known secrets out of the rest.
 * `schema` is the whole one, where a part of it was decoded.
 */
export const fromParseIssue = (
  issue: ParseResult.ParseIssue,
  scrub: (text: string) => string,
  schema?: AST.AST
): ReadonlyArray<ConfigIssue> =>
  walk(issue, { path: [], scrub, schema: schema ?? schemaOf(issue), secret: false })

/** A key that is not known, beside those that are. */
export const noSuchKey = (
  path: ReadonlyArray<string>,
  known: ReadonlyArray<string>,
  actual: unknown
): ConfigIssue => ({
  path,
  expected: known.length === 0 ? "no such key" : `no such key (known: ${known.join(", ")})`,
  found: kind(actual)
})

/** What was found, for a value that is no secret; `scrub` takes the known secrets out of it. */
export const show = (actual: unknown, scrub: (text: string) => string): string => {
  if (typeof actual !== "string") return kind(actual)
  if (lineBreak.test(actual)) return "a string with a line break"
  // In the wrong field, such as a token where its chat is to be named.
  if (Secrets.looksLikeToken(actual)) return "a string with the form of a secret (not shown)"
  const text = scrub(actual)
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text)
}

interface Place {
  readonly path: ReadonlyArray<string>
  readonly scrub: (text: string) => string
  readonly schema: AST.AST | undefined
  /** Whether a schema around is secret. */
  readonly secret: boolean
  /** The schema of what the value lies in. */
  readonly parent?: AST.AST
}

const walk = (issue: ParseResult.ParseIssue, place: Place): ReadonlyArray<ConfigIssue> => {
  const { path } = place
  switch (issue._tag) {
    case "Pointer": {
      const steps = Array.isArray(issue.path) ? issue.path : [issue.path]
      return walk(issue.issue, { ...place, path: [...path, ...steps.map(String)] })
    }
    case "Composite": {
      if (AST.isUnion(issue.ast)) return walkUnion(issue, place)
      return Arr.ensure(issue.issues).flatMap((inner) => walk(inner, within(issue.ast, place)))
    }
    case "Refinement":
    case "Transformation":
      // The outer schema says in words what is expected; what lies inside is how it is checked. A part
      // that is wrong is named itself.
      return (describesItself(issue.ast) && !leadsFurther(issue.issue)) || !isInner(issue)
        ? [leaf(issue.ast, issue.actual, place)]
        : walk(issue.issue, within(issue.ast, place))
    case "Type":
    case "Forbidden":
      return [leaf(issue.ast, issue.actual, place)]
    case "Missing":
      return [{ path, expected: describe(issue.ast.type), found: "nothing" }]
    case "Unexpected":
      return [unexpected(path, place.parent, issue.actual)]
  }
}

const leaf = (ast: AST.AST, actual: unknown, place: Place): ConfigIssue => ({
  path: place.path,
  expected: describe(ast),
  found: found(ast, actual, place)
})

/** The value is the same or lies in it: what is secret stays so. */
const within = (ast: AST.AST, place: Place): Place => ({
  ...place,
  secret: place.secret || Secrecy.isSecret(ast),
  parent: ast
})

const walkUnion = (issue: ParseResult.Composite, place: Place) => {
  const issues = Arr.ensure(issue.issues)
  // Where one member could have been meant, its own issues say more than the list of members.
  const nested = issues.filter((inner) => inner._tag !== "Type" && !isUndefinedMember(inner))
  return nested.length === 1
    ? nested.flatMap((inner) => walk(inner, within(issue.ast, place)))
    : [leaf(issue.ast, issue.actual, place)]
}

/** A decoding that ended early knows only a part of the schema. */
const schemaOf = (issue: ParseResult.ParseIssue): AST.AST | undefined =>
  "ast" in issue && issue._tag !== "Missing" ? issue.ast : undefined

const leadsFurther = (issue: ParseResult.ParseIssue): boolean => {
  if (issue._tag === "Pointer") return true
  if (issue._tag === "Refinement" || issue._tag === "Transformation") {
    return leadsFurther(issue.issue)
  }
  return (
    issue._tag === "Composite" &&
    !AST.isUnion(issue.ast) &&
    Arr.ensure(issue.issues).every(leadsFurther)
  )
}

const isUndefinedMember = (issue: ParseResult.ParseIssue): boolean =>
  issue._tag === "Type" && AST.isUndefinedKeyword(issue.ast)

const isInner = (issue: ParseResult.Refinement | ParseResult.Transformation): boolean =>
  issue.kind === "From" || issue.kind === "Encoded" || issue.kind === "Type"

const ownDescription = (ast: AST.AST): Option.Option<string> => AST.getDescriptionAnnotation(ast)

const describesItself = (ast: AST.AST): boolean =>
  Option.isSome(ownDescription(ast)) && !AST.isTypeLiteral(ast)

const describe = (ast: AST.AST): string => {
  const own = ownDescription(ast)
  if (AST.isUnion(ast)) {
    const members = ast.types.filter((type) => !AST.isUndefinedKeyword(type))
    const expected = members.map(describe).join(" or ")
    return members.some((member) => formOf(member) !== undefined)
      ? forWhat(expected, own)
      : expected
  }
  if (AST.isLiteral(ast)) return JSON.stringify(ast.literal)
  const form = formOf(ast)
  if (form !== undefined) return forWhat(form.expected, own)
  return Option.getOrElse(own, () => {
    if (AST.isTransformation(ast)) return describe(ast.from)
    if (AST.isRefinement(ast)) return describe(ast.from)
    if (AST.isTypeLiteral(ast)) return "a mapping"
    if (AST.isTupleType(ast)) return "a list"
    return "another value"
  })
}

/** A field that is described anew says what it is for, and no longer what it is. */
const forWhat = (expected: string, own: Option.Option<string>): string =>
  Option.match(own, {
    onNone: () => expected,
    onSome: (purpose) => (purpose === expected ? expected : `${expected} (${purpose})`)
  })

const unexpected = (
  path: ReadonlyArray<string>,
  parent: AST.AST | undefined,
  actual: unknown
): ConfigIssue => {
  const side = parent !== undefined && AST.isTransformation(parent) ? parent.from : parent
  if (side === undefined || !AST.isTypeLiteral(side)) return noSuchKey(path, [], actual)
  // Of a mapping with names of the user's own, the name is what is wrong.
  const [parameter] = side.indexSignatures.map((signature) => signature.parameter)
  return parameter === undefined
    ? noSuchKey(
        path,
        side.propertySignatures.map(({ name }) => String(name)),
        actual
      )
    : { path, expected: describe(parameter), found: "this name" }
}

const found = (ast: AST.AST, actual: unknown, { path, schema, scrub, secret }: Place): string => {
  const isHidden =
    secret || Secrecy.holds(ast) || (schema !== undefined && Secrecy.isHidden(schema, path))
  if (isHidden) return hidden(actual, Secrecy.isUrl(ast))
  const hint = formOf(ast)?.hint?.(actual)
  return `${show(actual, scrub)}${hint === undefined ? "" : `, ${hint}`}`
}

const hidden = (actual: unknown, isUrl: boolean): string => {
  if (typeof actual === "number" || typeof actual === "bigint") {
    return "a number (not shown, it may be secret)"
  }
  if (typeof actual !== "string") return kind(actual)
  if (actual.length === 0) return "an empty string"
  // A line break at the end of a value is not seen by whoever looks for what is wrong with it.
  if (lineBreak.test(actual)) return "a string with a line break (not shown, it may be secret)"
  // The kind of a URL is no secret; a text that happens to look like one may be.
  const scheme = isUrl ? otherScheme.exec(actual)?.[0] : undefined
  return scheme === undefined
    ? "another string (not shown, it may be secret)"
    : `a string that starts with ${scheme} (the rest is not shown, it may be secret)`
}

const lineBreak = /[\n\r\u2028\u2029]/

const otherScheme = /^(?!https?:)[a-z][a-z0-9+.-]{0,29}:\/\//i

const kind = (actual: unknown): string => {
  if (actual === undefined || actual === null) return "nothing"
  if (Array.isArray(actual)) return "a list"
  if (Duration.isDuration(actual)) return Duration.format(actual)
  if (typeof actual === "object") return "a mapping"
  if (typeof actual === "string") return "a string"
  return Inspectable.toStringUnknown(actual)
}
