/**
 * Redis URLs as people write them. A raw password is read as long as there is one way to read it;
 * no error shows any part of the URL but its scheme.
 */
import { Either, Redacted, Schema } from "effect"
import * as Host from "../../Common/Host.js"
import { unquoted } from "../../Common/UrlText.js"

/** The forms that `parse` takes. */
export const supported =
  "redis://user:password@host:6379/0, rediss:// with TLS (?ssl_ca_certs=/path/ca.pem), unix://:password@/path/redis.sock?db=0"

export class RedisUrlError extends Schema.TaggedError<RedisUrlError>(
  "holter/plugins/Redis/RedisUrlError"
)("RedisUrlError", {
  reason: Schema.Literal("Unsupported", "Malformed"),
  part: Schema.String,
  expected: Schema.String,
  found: Schema.String
}) {
  override get message(): string {
    const what = this.reason === "Unsupported" ? "is not supported" : "cannot be read"
    return `The Redis URL ${what} (${this.part}): expected ${this.expected}, found ${this.found}. Supported: ${supported}.`
  }
}

export interface RedisUrl {
  readonly target:
    | {
        readonly _tag: "Tcp"
        readonly host: string
        readonly port: number
        /** `unverified` where the URL says `ssl_cert_reqs=none`. */
        readonly tls: "off" | "on" | "unverified"
        /** `ssl_ca_certs`: a file of certificates to trust instead of the public authorities. */
        readonly caFile: string | undefined
        /** `ssl_certfile` and `ssl_keyfile`: the client's own certificate. */
        readonly certFile?: string
        readonly keyFile?: string
        /** False where the URL says `ssl_check_hostname=false`. */
        readonly checkHost?: boolean
      }
    | { readonly _tag: "Socket"; readonly path: string }
  readonly user: string | undefined
  readonly password: Redacted.Redacted<string> | undefined
  readonly database: number
}

type Parsed<A> = Either.Either<A, RedisUrlError>

export const parse = (input: string | Redacted.Redacted<string>): Parsed<RedisUrl> => {
  const text = unquoted(typeof input === "string" ? input : Redacted.value(input))
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)
  if (scheme?.[1] === undefined) return malformed("scheme", "redis://", "no scheme")
  const name = scheme[1].toLowerCase()
  const rest = text.slice(scheme[0].length)
  switch (name) {
    case "redis":
    case "rediss":
      return parseTcp(rest, name === "rediss")
    case "unix":
    case "redis+unix":
    case "redis+socket":
      return parseSocket(rest)
    default:
      return refuse("Unsupported", "scheme", "redis, rediss or unix", `"${name.slice(0, 30)}"`)
  }
}

/** Where the server is, for a message: no user, no password. */
export const address = ({ target }: RedisUrl): string => {
  if (target._tag === "Socket") return target.path
  return target.host.includes(":")
    ? `[${target.host}]:${target.port}`
    : `${target.host}:${target.port}`
}

const refuse = (
  reason: RedisUrlError["reason"],
  part: string,
  expected: string,
  found: string
): Parsed<never> => Either.left(new RedisUrlError({ reason, part, expected, found }))

const malformed = (part: string, expected: string, found: string) =>
  refuse("Malformed", part, expected, found)

const place = /^(\[[0-9a-f:.]+\]|[^\s:/?#@[\]]*)(?::(\d*))?(?:\/(\d*))?(?:\?(.*))?$/is

const parseTcp = (rest: string, tls: boolean): Parsed<RedisUrl> => {
  const cuts = [-1, ...[...rest.matchAll(/@/g)].map(({ index }) => index)]
  const readings = cuts.flatMap((cut) => {
    const match = place.exec(rest.slice(cut + 1))
    return match === null ? [] : [{ userinfo: rest.slice(0, Math.max(0, cut)), match }]
  })
  const [reading, other] = readings
  if (reading === undefined) {
    return malformed(
      "user information, host, port or database",
      "user:password@host:port/number, with @, / and ? of the password percent-encoded",
      "something else"
    )
  }
  if (other !== undefined) {
    return malformed("user information", "one way to read it: write @ as %40", "more than one")
  }
  const [, host = "", port = "", path = "", query = ""] = reading.match
  const number = port === "" ? 6379 : Number(port)
  if (number < 1 || number > 65535) {
    return malformed("port", "a number from 1 to 65535", "another number")
  }
  const parameters = new URLSearchParams(query)
  const unknown = unkept(parameters)
  if (unknown !== undefined) return unknown
  const certFile = parameters.get("ssl_certfile")
  const keyFile = parameters.get("ssl_keyfile")
  const verified = parameters.get("ssl_cert_reqs") !== "none"
  return withLogin(reading.userinfo, path === "" ? parameters.get("db") : path, {
    _tag: "Tcp",
    host: asciiOf(Host.unbracketed(decode(host))) || "localhost",
    port: number,
    tls: tls ? (verified ? "on" : "unverified") : "off",
    caFile: parameters.get("ssl_ca_certs") || undefined,
    ...(certFile === null ? {} : { certFile }),
    ...(keyFile === null ? {} : { keyFile }),
    ...(isOff(parameters.get("ssl_check_hostname")) ? { checkHost: false } : {})
  })
}

/** As DNS and TLS know it. */
const asciiOf = (host: string): string => Host.ascii(host) || host

const isOff = (value: string | null): boolean => /^(?:false|no|0)$/i.test(value ?? "")

const secure = [
  "ssl_cert_reqs",
  "ssl_ca_certs",
  "ssl_certfile",
  "ssl_keyfile",
  "ssl_check_hostname"
]

/** Whom to trust and as whom to log in is never dropped in silence; the tuning of a client may be. */
const unkept = (parameters: URLSearchParams): Parsed<never> | undefined => {
  const names = [...parameters.keys()]
  if (names.some((name) => /^(?:ssl|tls)/i.test(name) && !secure.includes(name))) {
    return refuse("Unsupported", "parameters", secure.join(", "), "another one about TLS")
  }
  if (names.some((name) => /^(?:user|username|password)$/i.test(name))) {
    return malformed(
      "parameters",
      "user and password before the host",
      "one of them as a parameter"
    )
  }
  return /^(?:none|optional|required|)$/i.test(parameters.get("ssl_cert_reqs") ?? "")
    ? undefined
    : malformed("parameter ssl_cert_reqs", "required or none", "something else")
}

const parseSocket = (rest: string): Parsed<RedisUrl> => {
  const cut = rest.startsWith("/") ? -1 : rest.lastIndexOf("@/")
  const [path = "", query = ""] = rest.slice(cut + 1).split("?", 2)
  return path.startsWith("/") && path !== "/"
    ? withLogin(rest.slice(0, Math.max(0, cut)), new URLSearchParams(query).get("db"), {
        _tag: "Socket",
        path: decode(path)
      })
    : malformed("path", "the absolute path of a unix socket", "something else")
}

const withLogin = (
  userinfo: string,
  database: string | null,
  target: RedisUrl["target"]
): Parsed<RedisUrl> => {
  const colon = userinfo.indexOf(":")
  const user = decode(colon < 0 ? userinfo : userinfo.slice(0, colon))
  const password = colon < 0 ? "" : decode(userinfo.slice(colon + 1))
  if (database !== null && !/^\d{1,6}$/.test(database)) {
    return malformed("database", "a number", "something else")
  }
  return Either.right({
    target,
    user: user === "" ? undefined : user,
    password: password === "" ? undefined : Redacted.make(password),
    database: Number(database ?? 0)
  })
}

/** Percent-decoding that leaves alone what is not an escape, or no text. */
const decode = (text: string): string =>
  text.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
    Either.getOrElse(
      Either.try(() => decodeURIComponent(run)),
      () => run
    )
  )
