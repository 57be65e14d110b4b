/**
 * The chain by which a certificate is trusted, and which of its certificates ends first.
 *
 * Node shows the chain that the server sent. OpenSSL goes from each certificate to a trusted authority
 * where it knows one, and passes over what was sent beyond, such as the old end of a cross-signed root.
 *
 * @internal
 */
import { DateTime, Option } from "effect"
import { X509Certificate } from "node:crypto"
import * as tls from "node:tls"

/** The certificates from the server's own to the trusted authority. Empty where the server shows none. */
export const verified = (
  socket: tls.TLSSocket,
  authorities: ReadonlyArray<string> = builtIn()
): ReadonlyArray<X509Certificate> => {
  const chain: Array<X509Certificate> = []
  for (const sent of shown(socket)) {
    const anchor = chain.length === 0 ? undefined : trustedFor(sent, authorities)
    chain.push(anchor ?? sent)
    if (anchor !== undefined) break
  }
  return chain
}

/** With what the system and NODE_EXTRA_CA_CERTS add, where this version of Node tells them. */
const builtIn = (): ReadonlyArray<string> => {
  const { getCACertificates } = tls as { readonly getCACertificates?: () => ReadonlyArray<string> }
  return getCACertificates?.() ?? tls.rootCertificates
}

/** As it was sent; the last one is followed by its authority where Node knows that one. */
const shown = (socket: tls.TLSSocket): ReadonlyArray<X509Certificate> => {
  const found = new Map<string, X509Certificate>()
  let next: tls.DetailedPeerCertificate | undefined = socket.getPeerCertificate(true)
  while (next?.raw !== undefined && !found.has(next.fingerprint256) && found.size < longest) {
    found.set(next.fingerprint256, new X509Certificate(next.raw))
    next = next.issuerCertificate
  }
  return [...found.values()]
}

/** OpenSSL's own limit is 100. */
const longest = 100

/** The same authority as the programs of this machine trust it, by its key; the one that lasts longest. */
const trustedFor = (
  sent: X509Certificate,
  authorities: ReadonlyArray<string>
): X509Certificate | undefined =>
  authorities
    .map(parsed)
    .filter(
      ({ certificate, key, subject }) =>
        subject === sent.subject && certificate.ca && key() === keyOf(sent)
    )
    .map(({ certificate }) => certificate)
    .reduce<X509Certificate | undefined>(
      (best, one) => (best === undefined || endOf(one) > endOf(best) ? one : best),
      undefined
    )

/** Milliseconds since 1970. */
const endOf = ({ validTo }: X509Certificate): number =>
  Option.match(time(validTo), { onNone: () => 0, onSome: ({ epochMillis }) => epochMillis })

/** `Dec  2 20:00:00 2026 GMT`, whose zone `DateTime` knows only as an offset. */
export const time = (text: string): Option.Option<DateTime.Utc> =>
  DateTime.make(text.replace(/ GMT$/, " +0000"))

interface Authority {
  readonly certificate: X509Certificate
  readonly subject: string
  readonly key: () => string
}

/** Node's own are about 150, and the same for all checks. */
const known = new Map<string, Authority>()

const parsed = (pem: string): Authority => {
  const before = known.get(pem)
  if (before !== undefined) return before
  const certificate = new X509Certificate(pem)
  const { subject } = certificate
  const authority = { certificate, subject, key: () => keyOf(certificate) }
  if (known.size < mostKnown) known.set(pem, authority)
  return authority
}

const mostKnown = 1000

const keyOf = ({ publicKey }: X509Certificate): string =>
  publicKey.export({ type: "spki", format: "der" }).toString("latin1")

/** The certificates of a PEM file, one by one. */
export const split = (pem: string): ReadonlyArray<string> =>
  pem.match(
    /-----BEGIN (?:TRUSTED )?CERTIFICATE-----[^-]*-----END (?:TRUSTED )?CERTIFICATE-----/g
  ) ?? []
