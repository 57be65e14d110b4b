/**
 * The certificate of a TLS server: how long it is still valid, whether its chain is trusted, whether
 * it is for this host. Protocols that start in plain text (STARTTLS) are not spoken.
 */
import { DateTime, Effect, Layer, Schema } from "effect"
import * as Check from "../Check/Check.js"
import * as ConfigField from "../Plugin/ConfigField.js"
import * as Outcome from "../Check/Outcome.js"
import * as Host from "../Common/Host.js"
import { daysUntil, type Peer, read } from "./TlsCertificate/Peer.js"
import { TlsCertificateError } from "./TlsCertificate/TlsCertificateError.js"

export { TlsCertificateError }

const days = Schema.Number.pipe(
  Schema.between(0, 3650, { description: "a number of days, from 0 to 3650" })
)

const Config = Schema.Struct({
  host: Host.host.annotations({ description: "the host name or IP address to connect to" }),
  port: ConfigField.withDefault(
    ConfigField.port.annotations({ description: "the port on which TLS is spoken from the start" }),
    443
  ),
  servername: Schema.optional(
    Host.host.annotations({
      description: "the name that the certificate must be for; the host when not set"
    })
  ),
  warnDays: ConfigField.withDefault(
    days.annotations({
      description:
        "degraded when fewer days of validity are left, of it or of an authority in its chain"
    }),
    21
  ),
  criticalDays: ConfigField.withDefault(
    days.annotations({ description: "unhealthy when fewer days of validity are left" }),
    7
  ),
  ca: Schema.optional(
    Schema.NonEmptyString.annotations({
      description: "a PEM file of the authorities to trust, instead of those that Node trusts"
    })
  )
})

type Config = typeof Config.Type

const probe = (config: Config): Effect.Effect<Outcome.Outcome, TlsCertificateError> =>
  Effect.gen(function* () {
    const peer = yield* read(config)
    return yield* judge(config, peer, yield* DateTime.now)
  })

export const TlsCertificate = Check.make("tls", {
  description: "Validity, chain and host name of a server's TLS certificate",
  label: "TLS certificate",
  config: Config.fields,
  error: TlsCertificateError,
  probe,
  services: () => Layer.empty
})

interface Fault {
  readonly reason: TlsCertificateError["reason"]
  readonly found: string
}

const judge = (
  config: Config,
  peer: Peer,
  now: DateTime.Utc
): Effect.Effect<Outcome.Outcome, TlsCertificateError> => {
  const address = Host.address(config)
  const end = peer.endsBefore?.validUntil ?? peer.validUntil
  const left = daysUntil(now, end)
  const until = DateTime.formatIso(end).slice(0, 10)
  const whose = peer.endsBefore === undefined ? "" : `, ${authority(peer.endsBefore.subject)}`
  const details = {
    address,
    subject: peer.subject,
    issuer: peer.issuer,
    valid_from: DateTime.formatIso(peer.validFrom),
    valid_until: DateTime.formatIso(peer.validUntil),
    days_left: left,
    ...(peer.endsBefore === undefined
      ? {}
      : {
          chain_valid_until: DateTime.formatIso(end),
          ends_first: peer.endsBefore.subject
        }),
    protocol: peer.protocol,
    chain_error: peer.chainError ?? null
  }
  const [first, ...more] = faultsOf(peer, now)
  if (first !== undefined) {
    const alsoWrong = more.map(({ reason }) => reason)
    return new TlsCertificateError({ ...first, address, alsoWrong, details })
  }
  const room = `${left} ${left === 1 ? "day" : "days"} left`
  if (left < config.criticalDays) {
    const found = `${room} (until ${until}${whose}), at least ${config.criticalDays} expected`
    return new TlsCertificateError({ reason: "ExpiresSoon", found, address, details })
  }
  return Effect.succeed(
    left < config.warnDays
      ? Outcome.degraded(
          `TLS certificate of ${address} expires soon: ${room} (until ${until}${whose})`,
          {
            details
          }
        )
      : Outcome.healthy(`TLS certificate of ${address} is valid until ${until} (${room}${whose})`, {
          details
        })
  )
}

/** Everything that is wrong, what explains most first. */
const faultsOf = (peer: Peer, now: DateTime.Utc): ReadonlyArray<Fault> => {
  const dates: ReadonlyArray<Fault> = DateTime.lessThan(peer.validUntil, now)
    ? [{ reason: "Expired", found: `on ${DateTime.formatIso(peer.validUntil)}` }]
    : DateTime.greaterThan(peer.validFrom, now)
      ? [{ reason: "NotYetValid", found: `only from ${DateTime.formatIso(peer.validFrom)}` }]
      : authorityHasEnded(peer, now)
  const names: ReadonlyArray<Fault> =
    peer.otherNames === undefined ? [] : [{ reason: "HostMismatch", found: peer.otherNames }]
  return [...dates, ...chainFaults(peer.chainError, dates), ...names]
}

const authority = (subject: string): string => `the authority ${subject} in its chain`

/** By the program's clock, also where that of the system says otherwise. */
const authorityHasEnded = ({ endsBefore }: Peer, now: DateTime.Utc): ReadonlyArray<Fault> =>
  endsBefore !== undefined && DateTime.lessThan(endsBefore.validUntil, now)
    ? [
        {
          reason: "Expired",
          found: `on ${DateTime.formatIso(endsBefore.validUntil)}, ${authority(endsBefore.subject)}`
        }
      ]
    : []

const chainFaults = (
  code: string | undefined,
  dates: ReadonlyArray<Fault>
): ReadonlyArray<Fault> => {
  switch (code) {
    case undefined:
      return []
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return [{ reason: "SelfSigned", found: code }]
    case "CERT_HAS_EXPIRED":
      // With good dates of its own, it is a certificate further up that has expired.
      return dates.length > 0
        ? []
        : [{ reason: "Expired", found: "an authority in its chain (CERT_HAS_EXPIRED)" }]
    case "CERT_NOT_YET_VALID":
      return dates.length > 0
        ? []
        : [{ reason: "NotYetValid", found: "an authority in its chain (CERT_NOT_YET_VALID)" }]
    default:
      return [{ reason: "Untrusted", found: code }]
  }
}
