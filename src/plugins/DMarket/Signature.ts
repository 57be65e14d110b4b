/**
 * How DMarket wants requests to be signed: Ed25519 over method, path with query, body and time.
 *
 * @internal
 */
import { Effect, Encoding, Option, Redacted } from "effect"
import { createPrivateKey, createPublicKey, type KeyObject, sign as signWith } from "node:crypto"

export interface Signable {
  /** In capitals. */
  readonly method: string
  /** As it is sent, with its query. */
  readonly path: string
  readonly body: string
  readonly unixSeconds: number
}

/** The two halves of a secret key. The public half is there when the key was given with it. */
interface Halves {
  readonly seed: Uint8Array
  readonly open: Uint8Array | undefined
}

/**
 * Whether a text is a secret key: 128 hex digits (seed and public key), 64 (seed), or the same
 * bytes in base64. A public half must be that of the seed. What is anything else is no key: a key
 * that was padded or cut would sign, and the server would say no more than "unauthorized".
 */
export const isSecretKey = (text: string): boolean => Option.isSome(parse(text))

/** The key that signs. Fails for a text that `isSecretKey` refuses. */
export const privateKey = (
  secret: Redacted.Redacted<string>
): Effect.Effect<KeyObject, MalformedKey> =>
  Option.match(parse(Redacted.value(secret)), {
    onNone: () => Effect.fail(malformedKey),
    onSome: Effect.succeed
  })

export interface MalformedKey {
  readonly _tag: "MalformedKey"
}

const malformedKey: MalformedKey = { _tag: "MalformedKey" }

/** The bytes that are signed. */
const message = (request: Signable): Uint8Array =>
  Buffer.from(`${request.method}${request.path}${request.body}${request.unixSeconds}`)

/** The value of `X-Request-Sign`. */
export const sign = (key: KeyObject, request: Signable): string =>
  `dmar ed25519 ${signWith(null, message(request), key).toString("hex")}`

/** The headers of a signed request. */
export const headers = (
  publicKey: Redacted.Redacted<string>,
  key: KeyObject,
  request: Signable
): Readonly<Record<string, string>> => ({
  "x-api-key": Redacted.value(publicKey),
  "x-sign-date": String(request.unixSeconds),
  "x-request-sign": sign(key, request)
})

const parse = (text: string): Option.Option<KeyObject> =>
  Option.flatMap(halves(text), ({ open, seed }) => {
    const key = fromSeed(seed)
    return open === undefined || Buffer.from(open).equals(publicHalf(key))
      ? Option.some(key)
      : Option.none()
  })

const halves = (text: string): Option.Option<Halves> => {
  const hex = /^(?:[0-9a-f]{64}){1,2}$/i.test(text)
  const bytes = hex
    ? Option.some<Uint8Array>(Buffer.from(text, "hex"))
    : Option.filter(
        Option.getRight(Encoding.decodeBase64(text)),
        // The decoder is lenient about stray bits in the last character: the way back is not.
        (decoded) => Encoding.encodeBase64(decoded) === text
      )
  return Option.flatMap(bytes, (key) => {
    if (key.length === 32) return Option.some({ seed: key, open: undefined })
    if (key.length === 64) {
      return Option.some({ seed: key.subarray(0, 32), open: key.subarray(32) })
    }
    return Option.none()
  })
}

/** What stands before the seed in a PKCS #8 key of Ed25519 (RFC 8410). */
const pkcs8 = Buffer.from("302e020100300506032b657004220420", "hex")

const fromSeed = (seed: Uint8Array): KeyObject =>
  createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: "der", type: "pkcs8" })

const publicHalf = (key: KeyObject): Uint8Array =>
  createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32)
