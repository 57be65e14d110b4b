/**
 * The signature of Standard Webhooks 1.0: HMAC-SHA256 over id, time of the attempt and body.
 *
 * @internal
 */
import { createHmac } from "node:crypto"

/**
 * The key of an alert as an id in a header. Dots separate the parts of what is signed, so there is
 * none in it.
 */
export const idOf = (key: string): string =>
  key.replace(/[^\w:/-]/gu, (char) =>
    [...Buffer.from(char, "utf8")]
      .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`)
      .join("")
  )

export const sign = (secret: string, id: string, timestamp: number, body: string): string => {
  const hmac = createHmac("sha256", keyOf(secret)).update(`${id}.${timestamp}.${body}`)
  return `v1,${hmac.digest("base64")}`
}

const prefix = "whsec_"

/** Whether what stands behind `whsec_` is base64; any other text is a key as it is. */
export const isKey = (secret: string): boolean =>
  !secret.startsWith(prefix) || /^[A-Za-z0-9+/]+={0,2}$/.test(secret.slice(prefix.length))

const keyOf = (secret: string): Buffer =>
  secret.startsWith(prefix)
    ? Buffer.from(secret.slice(prefix.length), "base64")
    : Buffer.from(secret, "utf8")
