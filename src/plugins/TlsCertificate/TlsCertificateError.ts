/** What can be wrong with a server's certificate, and with the way to it. */
import { Schema } from "effect"
import { Details } from "../shared/ErrorFields.js"
import * as Host from "../../Common/Host.js"

export class TlsCertificateError extends Schema.TaggedError<TlsCertificateError>(
  "holter/plugins/TlsCertificate/TlsCertificateError"
)("TlsCertificateError", {
  reason: Schema.Literal(
    ...Host.SocketReason.literals,
    "HandshakeFailed",
    "Expired",
    "NotYetValid",
    "ExpiresSoon",
    "HostMismatch",
    "SelfSigned",
    "Untrusted",
    "CaUnusable"
  ),
  address: Schema.String,
  /** What was found: a date, names, or a code of OpenSSL. */
  found: Schema.optional(Schema.String),
  /** What is wrong beside that. */
  alsoWrong: Schema.optional(Schema.Array(Schema.String)),
  details: Schema.optional(Details),
  cause: Schema.optional(Schema.Defect)
}) {
  get isRetryable(): boolean {
    return Schema.is(Host.SocketReason)(this.reason)
  }

  override get message(): string {
    const also = (this.alsoWrong ?? []).map((reason) => `, and also ${faults[reason] ?? reason}`)
    return `${this.sentence}${also.join("")}`
  }

  private get sentence(): string {
    const whose = `TLS certificate of ${this.address}`
    const found = this.found ?? "no reason given"
    switch (this.reason) {
      case "Refused":
      case "Unreachable":
      case "DnsFailed":
      case "Reset":
        return `Cannot connect to ${this.address}: ${Host.advised(this.reason, this.found)}`
      case "HandshakeFailed":
        return `${this.address} accepts connections, but the TLS handshake failed (${found}). Is it a TLS port?`
      case "Expired":
        return `${whose} expired: ${found}. Renew it`
      case "NotYetValid":
        return `${whose} is not valid yet: ${found}. Check the clocks, or wait`
      case "ExpiresSoon":
        return `${whose} expires soon: ${found}. Renew it`
      case "HostMismatch":
        return `${whose} is for other names: ${found}. Add the name to the certificate, or set \`servername\``
      case "SelfSigned":
        return `${whose} is self-signed. Trust it with \`ca\`, or get one from an authority`
      case "Untrusted":
        return `${whose} is not trusted (${found}). Send the intermediate certificates, or name the authority in \`ca\``
      case "CaUnusable":
        return `The file of trusted certificates ${JSON.stringify(found)} cannot be read as PEM. Correct \`ca\``
    }
  }
}

const faults: Readonly<Record<string, string>> = {
  Expired: "expired",
  NotYetValid: "not valid yet",
  HostMismatch: "for other names",
  SelfSigned: "self-signed",
  Untrusted: "not trusted"
}
