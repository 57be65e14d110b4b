/**
 * Why there is no reply.
 *
 * @internal
 */
import { Array as Arr, Option, Predicate, Schema } from "effect"
import { SocketError } from "../../../System/Sockets.js"
import { unauthorized } from "./Tunnel.js"
import { asksForCertificate, handshakeProblem } from "./handshakes.js"

const Reason = Schema.Literal(
  "DnsFailed",
  "Refused",
  "Unreachable",
  "ConnectTimeout",
  "Reset",
  "Closed",
  "TlsFailed",
  "Malformed",
  "TooLarge",
  "Unsendable",
  "Failed"
)

export type Reason = typeof Reason.Type

/** A request got no reply, or not a whole one. Shows the host and the port, never the URL. */
export class HttpFault extends Schema.TaggedError<HttpFault>("holter/plugins/shared/HttpFault")(
  "HttpFault",
  {
    reason: Reason,
    /** Host and port. */
    host: Schema.String,
    /** What went wrong, as it stands behind the host and a colon. */
    problem: Schema.String,
    isRetryable: Schema.Boolean,
    cause: Schema.optional(Schema.Defect)
  }
) {
  override get message(): string {
    return `${this.host}: ${this.problem}`
  }
  /** Whether the server may have taken the request. */
  get isUnclear(): boolean {
    return !neverSent.has(this.reason)
  }
}

const neverSent: ReadonlySet<Reason> = new Set([
  "DnsFailed",
  "Refused",
  "Unreachable",
  "ConnectTimeout",
  "TlsFailed",
  "Unsendable"
])

/** The fault that an error of undici, node:net, node:tls or a fetch stands for. */
export const fromUnknown = (error: unknown, host: string): HttpFault => {
  const found = Arr.filterMap(causes(error), (link) => Option.fromNullable(known(link)))
  // Behind a failed handshake the certificate's problem may stand, which says more.
  const best = found.find(({ reason }) => reason === "TlsFailed" || reason === "DnsFailed")
  const finding = found.findLast((one) => one.reason === best?.reason) ?? found[0]
  if (finding !== undefined) {
    const { through } = error instanceof SocketError ? error : {}
    const problem = through === undefined ? finding.problem : throughProxy(through, finding.problem)
    return new HttpFault({ host, cause: error, isRetryable: false, ...finding, problem })
  }
  return new HttpFault({
    host,
    reason: "Failed",
    problem: "the request failed for a reason that is not known",
    isRetryable: false,
    cause: error
  })
}

export const tooLarge = (
  host: string,
  maxBytes: number,
  stopped = "reading was stopped there"
): HttpFault =>
  new HttpFault({
    host,
    reason: "TooLarge",
    problem: `the body is longer than ${maxBytes} bytes; ${stopped}`,
    isRetryable: false
  })

/** The same, where the server had asked for a certificate: that may be why it closed. */
export const uncertified = (fault: HttpFault): HttpFault =>
  fault.reason === "Closed" || fault.reason === "Reset"
    ? new HttpFault({ ...fault, problem: `${fault.problem}; ${asksForCertificate}` })
    : fault

export const refusedByProxy = (host: string, proxy: string): HttpFault =>
  new HttpFault({
    host,
    reason: "Unreachable",
    problem: throughProxy(proxy, unauthorized),
    isRetryable: false
  })

const throughProxy = (proxy: string, problem: string): string => `the proxy ${proxy}: ${problem}`

interface Finding {
  readonly reason: Reason
  readonly problem: string
  readonly isRetryable?: boolean
}

/** The error, what caused it, and the attempts on single addresses that it sums up. */
const causes = (error: unknown): ReadonlyArray<unknown> => {
  const found: Array<unknown> = [error]
  for (let index = 0; index < found.length && index < 16; index++) {
    const link = found[index]
    if (Predicate.hasProperty(link, "cause")) found.push(link.cause)
    if (Predicate.hasProperty(link, "errors") && Array.isArray(link.errors)) {
      found.push(...(link.errors as ReadonlyArray<unknown>))
    }
  }
  return found
}

const known = (error: unknown): Finding | undefined => {
  if (error instanceof SocketError) return notConnected(error)
  if (isOfHttp2(error)) return http2
  // Not every error of undici's parser has a code.
  if (error instanceof Error && error.name === "HTTPParserError") {
    const code = Predicate.hasProperty(error, "code") ? String(error.code) : ""
    return byCode[code] ?? { reason: "Malformed", problem: "the answer is not HTTP" }
  }
  if (!Predicate.hasProperty(error, "code") || typeof error.code !== "string") return undefined
  const { code } = error
  const plain = byCode[code] ?? certificates[code]
  if (plain !== undefined) return plain
  if (code === altName) {
    return {
      reason: "TlsFailed",
      problem: `the certificate is for another host${namesOf(error)}`
    }
  }
  if (code.startsWith("HPE_")) {
    return { reason: "Malformed", problem: `the answer is not HTTP (${code})` }
  }
  if (/^(ERR_SSL_|EPROTO$|CERT_|ERR_TLS_)/.test(code)) {
    return handshakeFailed(code)
  }
  if (code.startsWith("UND_ERR_INVALID") || code.startsWith("ERR_INVALID")) {
    return {
      reason: "Unsendable",
      problem: `the request cannot be sent (${code}); look for characters in the URL or in a header that HTTP does not allow`
    }
  }
  return undefined
}

/** The first frame of a server that speaks HTTP/2 is one of settings, for the whole connection. */
const isOfHttp2 = (error: unknown): boolean => {
  const found =
    Predicate.hasProperty(error, "data") && typeof error.data === "string"
      ? error.data
      : Predicate.hasProperty(error, "rawPacket") && Buffer.isBuffer(error.rawPacket)
        ? error.rawPacket.toString("latin1", 0, 9)
        : ""
  return found.slice(3, 9) === "\u0004\0\0\0\0\0"
}

const http2: Finding = {
  reason: "Malformed",
  problem: "the server speaks HTTP/2 alone; expected HTTP/1.1, and Holter speaks nothing else"
}

const notConnected = ({ code, phase, problem }: SocketError): Finding | undefined => {
  switch (phase) {
    case "name look-up":
      return code === "ENOTFOUND"
        ? byCode[code]
        : {
            reason: "DnsFailed",
            problem: problem ?? "DNS gave no answer",
            // Who waited for an answer has no time to wait again.
            isRetryable: code !== "ETIMEOUT"
          }
    case "TLS":
      // Between TCP and TLS a reset is an answer to the handshake, not to a request.
      return certificates[code] === undefined && code !== altName
        ? handshakeFailed(code)
        : undefined
    case "connection":
      return byCode[code]
    case "proxy":
      return problem === undefined
        ? byCode[code]
        : { isRetryable: false, reason: "Unreachable", ...byCode[code], problem }
  }
}

const altName = "ERR_TLS_CERT_ALTNAME_INVALID"

const handshakeFailed = (code: string): Finding => ({
  reason: "TlsFailed",
  problem: handshakeProblem(code)
})

const namesOf = (error: object): string => {
  const names =
    Predicate.hasProperty(error, "cert") && Predicate.hasProperty(error.cert, "subjectaltname")
      ? error.cert.subjectaltname
      : undefined
  return typeof names === "string" ? ` (${names})` : ""
}

const closed: Finding = {
  reason: "Closed",
  problem: "the connection was closed before the answer was complete",
  isRetryable: true
}
const reset: Finding = { reason: "Reset", problem: "the connection was reset", isRetryable: true }
const lengths: Finding = {
  reason: "Malformed",
  problem: "the answer names more than one length (Content-Length)"
}
const unreachable: Finding = { reason: "Unreachable", problem: "no route to the host" }

const byCode: Readonly<Record<string, Finding>> = {
  ENOTFOUND: { reason: "DnsFailed", problem: "the host name is not known to DNS" },
  EAI_AGAIN: { reason: "DnsFailed", problem: "DNS gave no answer", isRetryable: true },
  EAI_FAIL: { reason: "DnsFailed", problem: "DNS failed", isRetryable: true },
  ECONNREFUSED: {
    reason: "Refused",
    problem: "connection refused; nothing listens there",
    isRetryable: true
  },
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  EADDRNOTAVAIL: unreachable,
  ETIMEDOUT: { reason: "ConnectTimeout", problem: "the connection was not made in time" },
  UND_ERR_CONNECT_TIMEOUT: {
    reason: "ConnectTimeout",
    problem: "the connection was not made in time"
  },
  ECONNRESET: reset,
  EPIPE: reset,
  ECONNABORTED: reset,
  UND_ERR_SOCKET: closed,
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: closed,
  ERR_STREAM_PREMATURE_CLOSE: closed,
  HPE_INVALID_EOF_STATE: closed,
  HOLTER_LENGTHS_DIFFER: lengths,
  HPE_UNEXPECTED_CONTENT_LENGTH: lengths,
  UND_ERR_HEADERS_OVERFLOW: { reason: "TooLarge", problem: "the headers are too long" },
  HPE_HEADER_OVERFLOW: { reason: "TooLarge", problem: "the headers are too long" }
}

const tls = (problem: string): Finding => ({ reason: "TlsFailed", problem })

const certificates: Readonly<Record<string, Finding>> = {
  CERT_HAS_EXPIRED: tls("the certificate has expired"),
  CERT_NOT_YET_VALID: tls("the certificate is not valid yet"),
  CERT_REVOKED: tls("the certificate has been revoked"),
  DEPTH_ZERO_SELF_SIGNED_CERT: tls("the certificate is self-signed"),
  SELF_SIGNED_CERT_IN_CHAIN: tls("the certificate's authority is not trusted"),
  UNABLE_TO_GET_ISSUER_CERT: tls("the certificate's authority is not trusted"),
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: tls(
    "the certificate's authority is not trusted, or an intermediate certificate is missing"
  ),
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: tls(
    "the certificate's authority is not trusted, or an intermediate certificate is missing"
  )
}
