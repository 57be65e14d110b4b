/**
 * The secrets of a configuration, as a file or as code writes it, found by the fields that hold them
 * (`Secrecy`). By its name alone not every one is known to be a secret: a variable of a command, a
 * header, the path of a URL.
 *
 * @internal
 */
import { Option, Predicate, Redacted, type Schema, type SchemaAST as AST } from "effect"
import { partsAt } from "./Annotation.js"
import * as Secrecy from "./Secrecy.js"

/**
 * As `Secrets.fromConfig` takes them: where a database is, is no secret, and people are to read it; the
 * password in its URL is one.
 */
export type Found = Redacted.Redacted<string> | string

export const collect = (config: Schema.Schema.All, input: unknown): ReadonlyArray<Found> =>
  [...new Set(find(config.ast, input))].map((text) =>
    isPlace.test(text) ? text : Redacted.make(text)
  )

/** A URL, but for those of the web, which are secrets as a whole where they are any. */
const isPlace = /^\s*(?!https?:)[a-z][a-z0-9+.-]*:\/\//i

/** Headers and variables whose values everybody knows: every text would be full of holes. */
const harmless =
  /^(accept(-[a-z]+)?|content-type|user-agent|cache-control|pragma|host|origin|referer|PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TZ|LANG|LANGUAGE|LC_[A-Z]+)$/i

const find = (ast: AST.AST, value: unknown): ReadonlyArray<string> => {
  if (Secrecy.isWhole(ast)) return Secrecy.texts(ast, value)
  if (typeof value === "string") return isJson(ast) ? ofJson(ast, value) : []
  if (Redacted.isRedacted(value)) return find(ast, Redacted.value(value))
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => findAt(ast, String(index), item))
  }
  if (!Predicate.isRecord(value)) return []
  return Object.entries(value).flatMap(([name, item]) =>
    harmless.test(name) && !Secrecy.names(ast, name) ? [] : findAt(ast, name, item)
  )
}

const isJson = (ast: AST.AST): boolean =>
  Secrecy.isText(ast) && !Secrecy.isSecret(ast) && Secrecy.holds(ast)

/** Whatever else the text is, as a whole it is not shown either. */
const ofJson = (ast: AST.AST, text: string): ReadonlyArray<string> => [
  text,
  ...Option.match(Option.liftThrowable((json: string): unknown => JSON.parse(json))(text), {
    onNone: () => [],
    onSome: (value) => (typeof value === "string" ? [value] : find(ast, value))
  })
]

const findAt = (ast: AST.AST, key: string, value: unknown): ReadonlyArray<string> =>
  partsAt(ast, key).flatMap((part) => find(part, value))
