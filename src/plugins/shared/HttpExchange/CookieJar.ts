/**
 * The cookies of one exchange, from its first request to its last redirect (RFC 6265).
 *
 * Stricter than a browser: a cookie goes back to the origin that set it and to no other, whatever its
 * `Domain` is. `Secure` asks for nothing more then.
 *
 * @internal
 */
import type { Reply } from "./Exchange.js"
import { httpDate } from "./retryAfter.js"

interface Cookie {
  readonly name: string
  readonly value: string
  readonly path: string
}

/** A server that sets more has its first ones forgotten. */
const mostCookies = 50
const longestCookie = 4096

export class CookieJar {
  private readonly origins = new Map<string, ReadonlyArray<Cookie>>()

  /** The cookies that the program itself sends. */
  static of(url: URL, header: string | undefined): CookieJar {
    const jar = new CookieJar()
    const given = (header ?? "").split(";").flatMap((pair) => cookieOf(pair, "/") ?? [])
    jar.origins.set(url.origin, given)
    return jar
  }

  /** Takes what the reply sets, and lets go of what it deletes. */
  take(url: URL, reply: Reply, nowMillis: number): void {
    for (const line of [reply.headers["set-cookie"] ?? []].flat()) this.set(url, line, nowMillis)
  }

  /** The header for a request to this URL, longest paths first. */
  header(url: URL): string | undefined {
    const fitting = (this.origins.get(url.origin) ?? [])
      .filter(({ path }) => covers(path, url.pathname))
      .toSorted((a, b) => b.path.length - a.path.length)
    return fitting.length === 0
      ? undefined
      : fitting.map(({ name, value }) => `${name}=${value}`).join("; ")
  }

  private set(url: URL, line: string, nowMillis: number): void {
    const [pair = "", ...rest] = line.split(";")
    const attributes = new Map(rest.map(attributeOf))
    const path = attributes.get("path")
    const cookie = cookieOf(pair, path?.startsWith("/") === true ? path : folderOf(url.pathname))
    if (cookie === undefined || line.length > longestCookie) return
    const others = (this.origins.get(url.origin) ?? []).filter(
      (known) => known.name !== cookie.name || known.path !== cookie.path
    )
    const now = hasEnded(attributes, nowMillis) ? others : [...others, cookie]
    this.origins.set(url.origin, now.slice(-mostCookies))
  }
}

const cookieOf = (pair: string, path: string): Cookie | undefined => {
  const equals = pair.indexOf("=")
  const name = pair.slice(0, equals).trim()
  return equals < 1 || name === ""
    ? undefined
    : { name, value: pair.slice(equals + 1).trim(), path }
}

const attributeOf = (text: string): readonly [string, string] => {
  const [name = "", ...value] = text.split("=")
  return [name.trim().toLowerCase(), value.join("=").trim()]
}

/** `Max-Age` counts more than `Expires`. */
const hasEnded = (attributes: ReadonlyMap<string, string>, nowMillis: number): boolean => {
  const age = attributes.get("max-age")
  if (age !== undefined && /^-?\d+$/.test(age)) return Number(age) <= 0
  const at = httpDate(attributes.get("expires"))
  return at !== undefined && at <= nowMillis
}

/** Where a cookie belongs that names no path: the folder of the page that sets it. */
const folderOf = (pathname: string): string => pathname.replace(/\/[^/]*$/, "") || "/"

const covers = (path: string, pathname: string): boolean =>
  path === pathname || pathname.startsWith(path.endsWith("/") ? path : `${path}/`)
