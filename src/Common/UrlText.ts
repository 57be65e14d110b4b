/**
 * What stands where the URL of a server or a database is expected. Pure.
 *
 * @internal
 */
import { Either, Encoding } from "effect"

interface OtherForm {
  readonly part: string
  readonly expected: string
  readonly found: string
}

/** What a text is that was meant as no path; nothing of it is in the answer. */
export const noPath = (text: string): OtherForm | undefined =>
  otherForms.find(({ pattern }) => pattern.test(text))

/** `docker --env-file` and others keep the quotation marks of a value, and editors their spaces. */
export const unquoted = (text: string): string => {
  const trimmed = text.trim()
  const inner = /^(["'])(.*)\1$/s.exec(trimmed)?.[2]?.trim()
  return inner ?? (/^["']?[a-z][a-z0-9+._-]*:\/\//i.test(trimmed) ? trimmed : text)
}

/** What Basic authentication sends of the user and the password of a URL, where it has them. */
export const basic = ({ password, username }: URL): string | undefined =>
  username === "" && password === ""
    ? undefined
    : `Basic ${Encoding.encodeBase64(`${decoded(username)}:${decoded(password)}`)}`

const decoded = (part: string): string =>
  Either.getOrElse(Encoding.decodeUriComponent(part), () => part)

const noSlashes = { part: "scheme", expected: '"://" after the scheme' }
const noScheme = {
  part: "scheme",
  expected: "a scheme before user and password, as in postgresql://",
  found: "none"
}
const noUrl = {
  part: "text",
  expected: "a URL with nothing around it, or sqlite:/// and a path"
}

/** Texts that were meant as something else than a path; the first that fits says what. */
const otherForms: ReadonlyArray<OtherForm & { readonly pattern: RegExp }> = [
  {
    pattern: /^(?:sqlite3?|postgres|postgresql)(?:\+\w+)?:/i,
    ...noSlashes,
    found: "a scheme without it"
  },
  {
    pattern: /^(?:sqlite3?|postgres|postgresql)(?:\+\w+)?[^\w./\\-]*\/\//i,
    ...noSlashes,
    found: "something else"
  },
  { pattern: /[\r\n]/, ...noUrl, found: "more than one line" },
  {
    pattern: /^\s*(?:export\s+|set\s+)?[A-Z_][A-Z0-9_]*=/,
    ...noUrl,
    found: "a name and = before it"
  },
  { pattern: /:\/\/|%3a%2f%2f/i, ...noUrl, found: "a URL with something before its scheme" },
  { pattern: /^\s*["'`{<]|["'`]\s*$/, ...noUrl, found: "a quotation mark or a bracket around it" },
  { pattern: /:.*@|@[^/\\]*:\d/, ...noScheme },
  {
    // Of libpq, JDBC, ODBC, ADO.NET and Oracle.
    pattern:
      /(?:^|[\s;&?,(])(?:host(?:addr|name)?|server|data\s*source|address|addr|port|service|(?:initial\s+)?catalog|db(?:name)?|database|user(?:\s*id|name)?|uid|driver|ssl\s?mode|pass(?:word|wd|file|phrase|code)?|pwd|secret|token|(?:api|access|secret)[\s_-]?key)\s*=/i,
    part: "text",
    expected: "a URL (postgresql://user:password@host:5432/database)",
    found: "a list of names and values"
  },
  {
    pattern: /^(?![a-z]:[\\/]|file:)[^/\\:]+:/i,
    part: "scheme",
    expected: "a URL with ://, or sqlite:/// before a path with a colon",
    found: "a colon in the first part of a path"
  }
]
