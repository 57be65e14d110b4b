/** A TLS handshake that accepts any certificate, so that also a bad one can be read and judged. */
import { DateTime, Duration, Effect, Option } from "effect"
import { X509Certificate } from "node:crypto"
import { readFile } from "node:fs/promises"
import * as tls from "node:tls"
import * as Chain from "./Chain.js"
import { TlsCertificateError } from "./TlsCertificateError.js"
import * as Errors from "../../Common/Errors.js"
import * as Host from "../../Common/Host.js"
import * as Sockets from "../../System/Sockets.js"

export interface Target {
  readonly host: string
  readonly port: number
  /** The name that the certificate must be for. */
  readonly servername?: string | undefined
  /** A file of certificates to trust instead of Node's own. */
  readonly ca?: string | undefined
}

export interface Peer {
  readonly subject: string
  readonly issuer: string
  readonly validFrom: DateTime.Utc
  readonly validUntil: DateTime.Utc
  /** The authority of its chain that ends before it, where there is one. */
  readonly endsBefore: { readonly subject: string; readonly validUntil: DateTime.Utc } | undefined
  readonly protocol: string
  /** What OpenSSL says against the chain, such as `CERT_HAS_EXPIRED`. */
  readonly chainError: string | undefined
  /** The names in the certificate, where the expected one is not among them. */
  readonly otherNames: string | undefined
}

export const read = (target: Target): Effect.Effect<Peer, TlsCertificateError> =>
  Effect.gen(function* () {
    const trust = yield* trusted(target)
    return yield* handshake(target, trust)
  })

interface Trust {
  readonly secureContext: tls.SecureContext
  /** As PEM. */
  readonly authorities: ReadonlyArray<string>
}

const trusted = (target: Target): Effect.Effect<Trust | undefined, TlsCertificateError> => {
  const { ca } = target
  if (ca === undefined) return Effect.succeed(undefined)
  const unusable = (cause: unknown) =>
    new TlsCertificateError({
      reason: "CaUnusable",
      address: Host.address(target),
      found: ca,
      cause
    })
  return Effect.tryPromise({ try: () => readFile(ca, "utf8"), catch: unusable }).pipe(
    Effect.flatMap((pem) =>
      Effect.try({
        try: () => {
          // The context passes over what it cannot parse, and would then trust nobody.
          new X509Certificate(pem)
          return {
            secureContext: tls.createSecureContext({ ca: pem }),
            authorities: Chain.split(pem)
          }
        },
        catch: unusable
      })
    )
  )
}

const handshake = (
  target: Target,
  trust: Trust | undefined
): Effect.Effect<Peer, TlsCertificateError> => {
  const name = Host.ascii(target.servername ?? target.host)
  const fail = (
    reason: TlsCertificateError["reason"],
    found: string | undefined,
    cause?: unknown
  ) => new TlsCertificateError({ reason, address: Host.address(target), found, cause })
  return Effect.scoped(
    Effect.gen(function* () {
      const { socket } = yield* Effect.mapError(Sockets.connect(target), (cause) =>
        fail(Host.socketReason(cause) ?? "Unreachable", cause.problem, cause)
      )
      const secured = yield* Sockets.secure(socket, name, {
        rejectUnauthorized: false,
        ...(trust === undefined ? {} : { secureContext: trust.secureContext })
      }).pipe(
        Effect.mapError((error) => {
          const reason = error.cause === undefined ? undefined : Host.socketReason(error.cause)
          return fail(
            reason ?? "HandshakeFailed",
            reason === undefined ? error.code : undefined,
            error.cause
          )
        })
      )
      return yield* Effect.orElseFail(describe(secured, name, trust), () =>
        fail("HandshakeFailed", undefined)
      )
    })
  )
}

const describe = (
  socket: tls.TLSSocket,
  name: string,
  trust: Trust | undefined
): Option.Option<Peer> =>
  Option.gen(function* () {
    // First: once it has given the certificate by itself, Node gives no chain any more.
    const chain = Chain.verified(socket, trust?.authorities)
    const certificate = yield* Option.fromNullable(socket.getPeerX509Certificate())
    const validFrom = yield* Chain.time(certificate.validFrom)
    const validUntil = yield* Chain.time(certificate.validTo)
    const mismatch = tls.checkServerIdentity(name, certificate.toLegacyObject())
    // Node puts a mismatch of the name into the same place; it is asked for by itself above.
    const chainError = codeOf(socket.authorizationError)
    return {
      subject: shown(certificate.subject),
      issuer: shown(certificate.issuer),
      validFrom,
      validUntil,
      endsBefore: endsBefore(validUntil, chain),
      protocol: socket.getProtocol() ?? "unknown",
      chainError: chainError === "ERR_TLS_CERT_ALTNAME_INVALID" ? undefined : chainError,
      otherNames:
        mismatch === undefined
          ? undefined
          : (certificate.subjectAltName ?? shown(certificate.subject))
    }
  })

const endsBefore = (
  validUntil: DateTime.Utc,
  chain: ReadonlyArray<X509Certificate>
): Peer["endsBefore"] =>
  chain
    .flatMap(({ subject, validTo }) =>
      Option.match(Chain.time(validTo), {
        onNone: () => [],
        onSome: (end) => [{ subject: shown(subject), validUntil: end }]
      })
    )
    .filter((one) => DateTime.lessThan(one.validUntil, validUntil))
    .reduce<Peer["endsBefore"]>(
      (first, one) =>
        first === undefined || DateTime.lessThan(one.validUntil, first.validUntil) ? one : first,
      undefined
    )

/** Node types it as an error and gives the code itself. */
const codeOf = (error: unknown): string | undefined =>
  typeof error === "string" ? error : (Errors.codeOf(error) ?? undefined)

/** `O=Holter, CN=example.com` from a name with a line for each part. */
const shown = (name: string): string => name.split("\n").join(", ")

/** Whole days until then, rounded down: negative once it has passed. */
export const daysUntil = (now: DateTime.Utc, then: DateTime.Utc): number =>
  Math.floor((then.epochMillis - now.epochMillis) / Duration.toMillis("1 day"))
