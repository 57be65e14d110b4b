/**
 * The secrets of a configuration as a file writes it, found by the fields that hold them. By its name
 * alone not every one is known to be a secret: a variable of a command, a header, the path of a URL.
 *
 * @internal
 */
import { Predicate, Redacted, type Schema, SchemaAST as AST } from "effect"
import { isRedacted } from "./ConfigIssues.js"

/**
 * As `Secrets.fromConfig` takes them: where a database is, is no secret, and people are to read it; the
 * password in its URL is one.
 */
export type Found = Redacted.Redacted<string> | string

export const collect = (config: Schema.Schema.AnyNoContext, input: unknown): ReadonlyArray<Found> =>
  find(config.ast, input).map((text) => (isPlace.test(text) ? text : Redacted.make(text)))

/** A URL, but for those of the web, which are secrets as a whole where they are any. */
const isPlace = /^\s*(?!https?:)[a-z][a-z0-9+.-]*:\/\//i

/** Headers and variables whose values everybody knows: every text would be full of holes. */
const harmless =
  /^(accept(-[a-z]+)?|content-type|user-agent|cache-control|pragma|host|origin|referer|PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TZ|LANG|LANGUAGE|LC_[A-Z]+)$/i

const find = (ast: AST.AST, value: unknown): ReadonlyArray<string> => {
  if (AST.isTransformation(ast)) {
    if (isRedacted(ast.to)) return typeof value === "string" ? [value] : []
    return find(ast.from, value)
  }
  if (AST.isRefinement(ast)) return find(ast.from, value)
  if (AST.isSuspend(ast)) return find(ast.f(), value)
  if (AST.isUnion(ast)) return ast.types.flatMap((type) => find(type, value))
  if (AST.isTypeLiteral(ast) && Predicate.isRecord(value)) {
    const known = ast.propertySignatures.flatMap(({ name, type }) =>
      find(type, value[String(name)])
    )
    const others = ast.indexSignatures.flatMap(({ type }) =>
      Object.entries(value).flatMap(([name, item]) => (harmless.test(name) ? [] : find(type, item)))
    )
    return [...known, ...others]
  }
  if (AST.isTupleType(ast) && Array.isArray(value)) {
    const items: ReadonlyArray<unknown> = value
    const rest = ast.rest.map(({ type }) => type)
    return items.flatMap((item, index) => {
      const type = ast.elements[index]?.type ?? rest[0]
      return type === undefined ? [] : find(type, item)
    })
  }
  return []
}
