/** Ed25519 keys in the forms in which DMarket's users have them, and the signature they make. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign as signWith,
  verify
} from "node:crypto"

export interface DMarketKeys {
  /** 64 hex digits. */
  readonly publicKey: string
  /** Seed and public key: what DMarket hands out. */
  readonly secret128: string
  /** The seed alone. */
  readonly secret64: string
  /** Seed and public key in base64. */
  readonly secretBase64: string
  /** The seed alone in base64. */
  readonly seedBase64: string
}

export interface Signable {
  readonly method: string
  /** Path and query, as sent. */
  readonly path: string
  readonly body?: string
  readonly unixSeconds: number
}

export const makeKeys = (): DMarketKeys => {
  const jwk = generateKeyPairSync("ed25519").privateKey.export({ format: "jwk" })
  const seed = Buffer.from(jwk.d ?? "", "base64url")
  const open = Buffer.from(jwk.x ?? "", "base64url")
  const both = Buffer.concat([seed, open])
  return {
    publicKey: open.toString("hex"),
    secret128: both.toString("hex"),
    secret64: seed.toString("hex"),
    secretBase64: both.toString("base64"),
    seedBase64: seed.toString("base64")
  }
}

/** The headers of a signed request. */
export const sign = (keys: DMarketKeys, request: Signable): Record<string, string> => {
  const key = createPrivateKey({
    key: {
      kty: "OKP",
      crv: "Ed25519",
      d: Buffer.from(keys.secret64, "hex").toString("base64url"),
      x: Buffer.from(keys.publicKey, "hex").toString("base64url")
    },
    format: "jwk"
  })
  const signature = signWith(null, messageOf(request), key).toString("hex")
  return {
    "X-Api-Key": keys.publicKey,
    "X-Sign-Date": String(request.unixSeconds),
    "X-Request-Sign": `dmar ed25519 ${signature}`
  }
}

export const verifies = (publicKey: string, request: Signable, signature: string): boolean => {
  const match = /^dmar ed25519 ([0-9a-f]{128})$/i.exec(signature)
  if (match === null) return false
  const key = createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(publicKey, "hex").toString("base64url") },
    format: "jwk"
  })
  return verify(null, messageOf(request), key, Buffer.from(match[1] ?? "", "hex"))
}

const messageOf = (request: Signable): Buffer =>
  Buffer.from(`${request.method}${request.path}${request.body ?? ""}${request.unixSeconds}`)
