/**
 * Certificates for local TLS servers, good and bad, made by the openssl command: a root, an
 * intermediate, and leaves for 127.0.0.1 and localhost. `openssl ca` can set any dates, which no
 * other of its commands could before version 3.4.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { execFile } from "node:child_process"
import { readFile, writeFile } from "node:fs/promises"
import * as path from "node:path"
import { fromUnknown, type ServerError } from "./ServerError.js"
import * as TempDir from "./TempDir.js"

export interface Certificate {
  /** PEM; with the intermediate, unless the chain is to be incomplete. */
  readonly cert: string
  readonly key: string
}

export type Kind =
  | "valid"
  | "self-signed"
  | "expired"
  | "not-yet-valid"
  | "wrong-host"
  | "incomplete-chain"
  /** Valid, for about so many days more. */
  | { readonly days: number }

export interface Certificates {
  /** The root, which a client is to trust, as PEM and as a file (NODE_EXTRA_CA_CERTS). */
  readonly ca: string
  readonly caFile: string
  readonly issue: (kind: Kind) => Effect.Effect<Certificate, ServerError>
}

/** How long the authorities are valid, in days from now. */
export interface Lifetimes {
  readonly root?: number
  readonly intermediate?: number
}

const localhost = "IP:127.0.0.1,DNS:localhost"

export const make: Effect.Effect<Certificates, ServerError, Scope.Scope> = Effect.suspend(() =>
  makeWith({})
)

export const makeWith = (
  lifetimes: Lifetimes
): Effect.Effect<Certificates, ServerError, Scope.Scope> =>
  Effect.gen(function* () {
    const folder = yield* TempDir.make("tls")
    const attempt = <A>(operation: string, run: () => Promise<A>) =>
      Effect.tryPromise({ try: run, catch: fromUnknown("openssl", operation) })
    const file = (name: string) => path.join(folder, name)
    const read = (name: string) => readFile(file(name), "utf8")
    let issued = 0

    const authority = async (name: "root" | "intermediate", by: string) => {
      await sign(folder, {
        name,
        by,
        subject: `/O=Holter tests/CN=${name}`,
        extensions: "authority",
        names: localhost,
        days: [-1, lifetimes[name] ?? 3650]
      })
    }
    const ca = yield* attempt("make the authorities", async () => {
      await writeFile(file("openssl.cnf"), configuration(folder))
      await authority("root", "root")
      await authority("intermediate", "root")
      return read("root.crt")
    })

    const issue = (kind: Kind) =>
      attempt(`issue ${JSON.stringify(kind)}`, async () => {
        const name = `leaf${++issued}`
        await sign(folder, {
          name,
          by: kind === "self-signed" ? name : "intermediate",
          subject: "/O=Holter tests/CN=localhost",
          extensions: "leaf",
          names: kind === "wrong-host" ? "DNS:elsewhere.invalid" : localhost,
          days: daysOf(kind)
        })
        const [cert, key, intermediate] = await Promise.all([
          read(`${name}.crt`),
          read(`${name}.key`),
          read("intermediate.crt")
        ])
        const alone = kind === "self-signed" || kind === "incomplete-chain"
        return { cert: alone ? cert : cert + intermediate, key }
      })
    return { ca, caFile: file("root.crt"), issue }
  })

/** Days from now: not before, not after. */
const daysOf = (kind: Kind): readonly [number, number] => {
  if (typeof kind === "object") return [-1, kind.days]
  if (kind === "expired") return [-30, -1]
  if (kind === "not-yet-valid") return [1, 30]
  return [-1, 365]
}

interface Request {
  readonly name: string
  readonly by: string
  readonly subject: string
  readonly extensions: "authority" | "leaf"
  readonly names: string
  readonly days: readonly [number, number]
}

const sign = async (folder: string, request: Request): Promise<void> => {
  const { by, days, name } = request
  const openssl = (args: ReadonlyArray<string>) =>
    new Promise<void>((resolve, reject) => {
      execFile(
        "openssl",
        [...args],
        { cwd: folder, env: { PATH: process.env.PATH ?? "", NAMES: request.names } },
        (error, _stdout, stderr) => (error === null ? resolve() : reject(new Error(stderr)))
      )
    })
  await openssl(["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", `${name}.key`])
  await openssl([
    "req",
    "-config",
    "openssl.cnf",
    "-new",
    "-key",
    `${name}.key`,
    "-subj",
    request.subject,
    "-out",
    `${name}.csr`
  ])
  // A database of its own for each: `openssl ca` may run several at a time.
  await writeFile(path.join(folder, `${name}.index`), "")
  await writeFile(path.join(folder, `${name}.conf`), configuration(folder, name))
  await openssl([
    "ca",
    "-config",
    `${name}.conf`,
    "-batch",
    "-notext",
    "-md",
    "sha256",
    "-in",
    `${name}.csr`,
    "-out",
    `${name}.crt`,
    "-extensions",
    request.extensions,
    "-keyfile",
    `${by}.key`,
    ...(by === name ? ["-selfsign"] : ["-cert", `${by}.crt`]),
    "-startdate",
    asn1Date(days[0]),
    "-enddate",
    asn1Date(days[1])
  ])
}

/** YYYYMMDDHHMMSSZ. An hour is added, so that "5 days" are not 4 a moment later. */
const asn1Date = (days: number): string => {
  const hour = days > 0 ? 3_600_000 : 0
  const time = new Date(Date.now() + days * 86_400_000 + hour).toISOString()
  return `${time.replaceAll(/[-:T]/g, "").slice(0, 14)}Z`
}

const configuration = (folder: string, name = "ca"): string => `
[ca]
default_ca = here
[here]
database = ${folder}/${name}.index
new_certs_dir = ${folder}
rand_serial = yes
policy = any
unique_subject = no
[any]
organizationName = optional
commonName = supplied
[req]
distinguished_name = subject
[subject]
[authority]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[leaf]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = \${ENV::NAMES}
subjectKeyIdentifier = hash
`
