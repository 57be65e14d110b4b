/**
 * Where a socket connects to, and why it could not: what the plugins that open sockets share.
 *
 * @internal
 */
import { Predicate, Schema } from "effect"
import { codeOf } from "./Errors.js"

const description = "a host name or an IP address, without scheme, port or brackets"

/** A host as it stands in a configuration; a URL here would be looked up as a name and not found. */
export const host = Schema.String.pipe(
  Schema.filter((text) => /^[^\s/@[\]?#]{1,253}$/.test(text) && ascii(text) !== "", {
    description,
    // Without this the description, or one that a field gives later, is not part of the JSON Schema.
    jsonSchema: {}
  })
)

/**
 * The name as DNS and TLS know it: `xn--bcher-kva.test` for `bücher.test`. Empty where it has none; a
 * name in ASCII is left as it is.
 */
export function ascii(host: string): string {
  if (/^\p{ASCII}*$/u.test(host)) return host
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : ""
}

/** Without the brackets that a URL puts around an address of IPv6. */
export const unbracketed = (hostname: string): string => hostname.replace(/^\[(.*)\]$/, "$1")

/** Of a URL of HTTP, also where it names none. */
export const httpPort = ({ port, protocol }: URL): number =>
  Number(port) || (protocol === "https:" ? 443 : 80)

/** `host:port`, with brackets where the host is an IPv6 address. */
export const address = (target: { readonly host: string; readonly port: number }): string =>
  target.host.includes(":") ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`

export const SocketReason = Schema.Literal("Refused", "Unreachable", "DnsFailed", "Reset")

export type SocketReason = typeof SocketReason.Type

/** What an error of Node's sockets means; `undefined` where it is not the network's. */
export const socketReason = (error: unknown): SocketReason | undefined =>
  failures[codeOf(error) ?? ""]?.[0]

/** The same in a few words, which stand in a message about one host or one unix socket. */
export const socketProblem = (error: unknown): string | undefined =>
  problemOf(error) ?? failures[codeOf(error) ?? ""]?.[1]

/** Who opened the socket may know more than a code: which name server gave no answer. */
const problemOf = (error: unknown): string | undefined =>
  Predicate.hasProperty(error, "problem") && typeof error.problem === "string"
    ? error.problem
    : undefined

/** The code of a handshake that failed, such as `DEPTH_ZERO_SELF_SIGNED_CERT`. */
export const tlsProblem = (error: unknown): string | undefined => {
  const code = codeOf(error)
  return code !== undefined && /CERT|SELF_SIGNED|SSL|TLS|UNABLE_TO|EPROTO/.test(code)
    ? code
    : undefined
}

const failures: Readonly<Record<string, readonly [SocketReason, string] | undefined>> = {
  ECONNREFUSED: ["Refused", "connection refused"],
  ENOENT: ["Refused", "there is no such socket"],
  ENOTFOUND: ["DnsFailed", "the host name is unknown"],
  EAI_AGAIN: ["DnsFailed", "the host name cannot be looked up now"],
  ETIMEOUT: ["DnsFailed", "the name look-up took too long"],
  EAI_FAIL: ["DnsFailed", "the name server failed to look up the host name"],
  EAI_NODATA: ["DnsFailed", "the host name has no address"],
  ECONNRESET: ["Reset", "connection reset"],
  EPIPE: ["Reset", "connection closed"],
  ECONNABORTED: ["Reset", "connection aborted"],
  ETIMEDOUT: ["Unreachable", "connection timed out"],
  EHOSTUNREACH: ["Unreachable", "host unreachable"],
  ENETUNREACH: ["Unreachable", "network unreachable"],
  EHOSTDOWN: ["Unreachable", "host down"],
  ENETDOWN: ["Unreachable", "network down"],
  EADDRNOTAVAIL: ["Unreachable", "no local address for this connection"],
  EACCES: ["Unreachable", "no permission to connect"],
  EINVAL: ["Unreachable", "an address that nothing can connect to"]
}

/** What to look at, for each reason; the end of an error's message. */
const advice: Readonly<Record<SocketReason, string>> = {
  Refused: "nothing listens there. Is the service running, and is the port right?",
  Unreachable: "no route or no answer. Look at the network, the address and the firewall.",
  DnsFailed: "the name cannot be resolved. Check its spelling and the name server.",
  Reset: "the other side broke the connection off. Look at the log of the service."
}

/** The same for one failure, of which more may be known than its reason. */
export const advised = (reason: SocketReason, found: string | undefined): string =>
  found === undefined ? advice[reason] : `${found}. ${lookAt[reason]}`

const lookAt: Readonly<Record<SocketReason, string>> = {
  Refused: "Is the service running, and is the port right?",
  Unreachable: "Look at the network, the address and the firewall.",
  DnsFailed: "Check the spelling of the name and the name server.",
  Reset: "Look at the log of the service."
}
