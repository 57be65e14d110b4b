/**
 * Where a socket connects to, and why it could not: what the plugins that open sockets share.
 *
 * @internal
 */
import { Schema } from "effect"

/** A host as it stands in a configuration; a URL here would be looked up as a name and not found. */
export const host = Schema.String.pipe(
  Schema.pattern(/^[^\s/@[\]?#]{1,253}$/, {
    description: "a host name or an IP address, without scheme, port or brackets"
  })
)

/** `host:port`, with brackets where the host is an IPv6 address. */
export const address = (target: { readonly host: string; readonly port: number }): string =>
  target.host.includes(":") ? `[${target.host}]:${target.port}` : `${target.host}:${target.port}`

export const SocketReason = Schema.Literal("Refused", "Unreachable", "DnsFailed", "Reset")

export type SocketReason = typeof SocketReason.Type

/** What an error of Node's sockets means; `undefined` where it is not the network's. */
export const socketReason = (error: unknown): SocketReason | undefined =>
  reasons[codeOf(error) ?? ""]

/** `ECONNREFUSED` and the like, of an error or of the first of several that came together. */
export const codeOf = (error: unknown): string | undefined => {
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  return error instanceof Error && "code" in error && typeof error.code === "string"
    ? error.code
    : undefined
}

const reasons: Readonly<Record<string, SocketReason | undefined>> = {
  ECONNREFUSED: "Refused",
  ENOTFOUND: "DnsFailed",
  EAI_AGAIN: "DnsFailed",
  EAI_FAIL: "DnsFailed",
  EAI_NODATA: "DnsFailed",
  ECONNRESET: "Reset",
  EPIPE: "Reset",
  ECONNABORTED: "Reset",
  ETIMEDOUT: "Unreachable",
  EHOSTUNREACH: "Unreachable",
  ENETUNREACH: "Unreachable",
  EHOSTDOWN: "Unreachable",
  ENETDOWN: "Unreachable",
  EADDRNOTAVAIL: "Unreachable",
  EACCES: "Unreachable",
  EINVAL: "Unreachable"
}

/** What to look at, for each reason; the end of an error's message. */
export const advice: Readonly<Record<SocketReason, string>> = {
  Refused: "nothing listens there. Is the service running, and is the port right?",
  Unreachable: "no route or no answer. Look at the network, the address and the firewall.",
  DnsFailed: "the name cannot be resolved. Check its spelling and the name server.",
  Reset: "the other side broke the connection off. Look at the log of the service."
}
