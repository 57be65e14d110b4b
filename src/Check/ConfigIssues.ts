/**
 * What is wrong in a configuration, in words: where, what was expected, what was found.
 *
 * @since 0.1.0
 */
import { Array as Arr, Duration, Inspectable, Option, ParseResult, SchemaAST as AST } from "effect"
import type { ConfigIssue } from "./CheckError.js"

/**
 * All issues of a failed decoding, as far as it looked (`errors: "all"`). Values of secret fields
 * are never shown; `scrub` takes the known secrets out of the others.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromParseIssue = (
  issue: ParseResult.ParseIssue,
  scrub: (text: string) => string
): ReadonlyArray<ConfigIssue> => walk(issue, [], scrub, undefined)

/**
 * A key that is not known, beside those that are.
 *
 * @since 0.1.0
 * @category constructors
 */
export const noSuchKey = (
  path: ReadonlyArray<string>,
  known: ReadonlyArray<string>,
  actual: unknown
): ConfigIssue => ({
  path,
  expected: known.length === 0 ? "no such key" : `no such key (known: ${known.join(", ")})`,
  found: kind(actual)
})

/**
 * What was found, for a value that is no secret; `scrub` takes the known secrets out of it.
 *
 * @since 0.1.0
 * @category utils
 */
export const show = (actual: unknown, scrub: (text: string) => string): string => {
  if (typeof actual !== "string") return kind(actual)
  if (lineBreak.test(actual)) return "a text with a line break"
  const text = scrub(actual)
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text)
}

type Path = ReadonlyArray<string>

const walk = (
  issue: ParseResult.ParseIssue,
  path: Path,
  scrub: (text: string) => string,
  parent: AST.AST | undefined
): ReadonlyArray<ConfigIssue> => {
  const leaf = (ast: AST.AST, actual: unknown): ReadonlyArray<ConfigIssue> => [
    { path, expected: describe(ast), found: found(ast, actual, scrub) }
  ]
  switch (issue._tag) {
    case "Pointer": {
      const steps = Array.isArray(issue.path) ? issue.path : [issue.path]
      return walk(issue.issue, [...path, ...steps.map(String)], scrub, parent)
    }
    case "Composite": {
      if (AST.isUnion(issue.ast)) return walkUnion(issue, path, scrub)
      const issues = Arr.ensure(issue.issues)
      return issues.flatMap((inner) => walk(inner, path, scrub, issue.ast))
    }
    case "Refinement":
    case "Transformation":
      // The outer schema says in words what is expected; what lies inside is how it is checked.
      return describesItself(issue.ast) || !isInner(issue)
        ? leaf(issue.ast, issue.actual)
        : walk(issue.issue, path, scrub, parent)
    case "Type":
    case "Forbidden":
      return leaf(issue.ast, issue.actual)
    case "Missing":
      return [{ path, expected: describe(issue.ast.type), found: "nothing" }]
    case "Unexpected":
      return [noSuchKey(path, keysOf(parent), issue.actual)]
  }
}

const walkUnion = (issue: ParseResult.Composite, path: Path, scrub: (text: string) => string) => {
  const issues = Arr.ensure(issue.issues)
  // Where one member could have been meant, its own issues say more than the list of members.
  const nested = issues.filter((inner) => inner._tag !== "Type" && !isUndefinedMember(inner))
  return nested.length === 1
    ? nested.flatMap((inner) => walk(inner, path, scrub, issue.ast))
    : [{ path, expected: describe(issue.ast), found: found(issue.ast, issue.actual, scrub) }]
}

const isUndefinedMember = (issue: ParseResult.ParseIssue): boolean =>
  issue._tag === "Type" && AST.isUndefinedKeyword(issue.ast)

const isInner = (issue: ParseResult.Refinement | ParseResult.Transformation): boolean =>
  issue.kind === "From" || issue.kind === "Encoded" || issue.kind === "Type"

const ownDescription = (ast: AST.AST): Option.Option<string> => AST.getDescriptionAnnotation(ast)

const describesItself = (ast: AST.AST): boolean =>
  Option.isSome(ownDescription(ast)) && !AST.isTypeLiteral(ast)

const describe = (ast: AST.AST): string => {
  const own = Option.getOrElse(ownDescription(ast), () => "duration")
  // A field that is described anew says what it is for, and no longer what it is.
  if (isDuration(ast) && !own.includes("duration"))
    return `a duration such as "10 seconds" (${own})`
  if (AST.isUnion(ast)) {
    const members = ast.types.filter((type) => !AST.isUndefinedKeyword(type))
    return members.map(describe).join(" or ")
  }
  if (AST.isLiteral(ast)) return JSON.stringify(ast.literal)
  return Option.getOrElse(ownDescription(ast), () => {
    if (AST.isTransformation(ast)) return describe(ast.from)
    if (AST.isRefinement(ast)) return describe(ast.from)
    if (AST.isTypeLiteral(ast)) return "a mapping"
    if (AST.isTupleType(ast)) return "a list"
    return "another value"
  })
}

const keysOf = (ast: AST.AST | undefined): ReadonlyArray<string> => {
  const side = ast !== undefined && AST.isTransformation(ast) ? ast.from : ast
  if (side === undefined || !AST.isTypeLiteral(side)) return []
  return side.propertySignatures.map((property) => String(property.name))
}

const found = (ast: AST.AST, actual: unknown, scrub: (text: string) => string): string => {
  if (isSecret(ast)) return hidden(ast, actual)
  const text = show(actual, scrub)
  return isDuration(ast) && isNoTime(actual) ? `${text}, and it must be longer than 0` : text
}

/** Also where the field has a description of its own. */
const isDuration = (ast: AST.AST): boolean =>
  AST.isUnion(ast)
    ? ast.types.some(isDuration)
    : AST.isTransformation(ast)
      ? isDuration(ast.to)
      : Option.exists(AST.getIdentifierAnnotation(ast), (name) => /^Duration.*Input$/.test(name))

/** Of those that are refused: where none at all is fine, it is no issue. */
const isNoTime = (actual: unknown): boolean =>
  typeof actual !== "number" &&
  Option.exists(Duration.decodeUnknown(actual), (value) => Duration.toMillis(value) <= 0)

const isSecret = (ast: AST.AST): boolean =>
  AST.isUnion(ast)
    ? ast.types.some(isSecret)
    : Option.exists(AST.getIdentifierAnnotation(ast), (name) => /secret|redacted/i.test(name)) ||
      // A field that is described anew loses its identifier; what it decodes to stays Redacted.
      isRedacted(ast) ||
      (AST.isTransformation(ast) && (isSecret(ast.from) || isSecret(ast.to))) ||
      (AST.isRefinement(ast) && isSecret(ast.from))

/**
 * What a field of a secret decodes to.
 *
 * @internal
 */
export const isRedacted = (ast: AST.AST): boolean =>
  AST.isDeclaration(ast) && Option.exists(ownDescription(ast), (text) => /^Redacted\b/.test(text))

const hidden = (ast: AST.AST, actual: unknown): string => {
  if (typeof actual !== "string") return kind(actual)
  if (actual.length === 0) return "an empty text"
  // A line break at the end of a value is not seen by whoever looks for what is wrong with it.
  if (lineBreak.test(actual)) return "a text with a line break (not shown, it may be secret)"
  const scheme = isUrl(ast) ? otherScheme.exec(actual)?.[0] : undefined
  return scheme === undefined
    ? "another text (not shown, it may be secret)"
    : `a text that starts with ${scheme} (the rest is not shown, it may be secret)`
}

const lineBreak = /[\n\r\u2028\u2029]/

/** The kind of a URL is no secret; a text that happens to look like one may be. */
const isUrl = (ast: AST.AST): boolean =>
  AST.isUnion(ast)
    ? ast.types.some(isUrl)
    : Option.exists(AST.getIdentifierAnnotation(ast), (name) => /url/i.test(name))

const otherScheme = /^(?!https?:)[a-z][a-z0-9+.-]{0,29}:\/\//i

const kind = (actual: unknown): string => {
  if (actual === undefined || actual === null) return "nothing"
  if (Array.isArray(actual)) return "a list"
  if (Duration.isDuration(actual)) return Duration.format(actual)
  if (typeof actual === "object") return "a mapping"
  if (typeof actual === "string") return "a text"
  return Inspectable.toStringUnknown(actual)
}
