import { assert, describe, it } from "@effect/vitest"
import { Effect, FastCheck, Redacted } from "effect"
import { createPublicKey, verify } from "node:crypto"
import * as Signature from "../../../src/plugins/DMarket/Signature.js"
import { makeKeys } from "../../support/DMarketDouble.js"

const keys = makeKeys()
const forms = [keys.secret128, keys.secret64, keys.secretBase64, keys.seedBase64]

describe("Signature", () => {
  it.effect("every form of the key makes the same signature, which verifies", () =>
    Effect.gen(function* () {
      const signing = yield* Effect.forEach([...forms, keys.secret128.toUpperCase()], (form) =>
        Signature.privateKey(Redacted.make(form))
      )
      const open = createPublicKey({
        key: {
          kty: "OKP",
          crv: "Ed25519",
          x: Buffer.from(keys.publicKey, "hex").toString("base64url")
        },
        format: "jwk"
      })
      FastCheck.assert(
        FastCheck.property(
          FastCheck.constantFrom("GET", "POST", "DELETE"),
          FastCheck.webPath(),
          FastCheck.string({ unit: "binary" }),
          FastCheck.nat(),
          (method, path, body, unixSeconds) => {
            const request = { method, path, body, unixSeconds }
            const [first, ...others] = signing.map((key) => Signature.sign(key, request))
            const hex = /^dmar ed25519 ([0-9a-f]{128})$/.exec(first ?? "")?.[1] ?? ""
            const text = Buffer.from(method + path + body + String(unixSeconds))
            assert.isTrue(verify(null, text, open, Buffer.from(hex, "hex")))
            assert.isFalse(verify(null, Buffer.concat([text, text]), open, Buffer.from(hex, "hex")))
            for (const other of others) assert.strictEqual(other, first)
          }
        ),
        { numRuns: 40 }
      )
    })
  )

  it("any other form is no key, and is never padded, cut or guessed", () => {
    const other = makeKeys()
    const wrong = [
      "",
      "secret",
      keys.secret64.slice(1),
      `${keys.secret64}0`,
      `0x${keys.secret64}`,
      `${keys.secret64} `,
      `${keys.secret64}\n`,
      keys.secret128.slice(0, 127),
      keys.secret64 + other.publicKey,
      keys.secretBase64.replace(/=+$/, ""),
      keys.seedBase64.slice(0, -4),
      `${keys.seedBase64}\n`,
      Buffer.from(`${keys.secret64}`.slice(0, 62), "hex").toString("base64"),
      Buffer.concat([
        Buffer.from(keys.secret64, "hex"),
        Buffer.from(other.publicKey, "hex")
      ]).toString("base64")
    ]
    for (const text of wrong) assert.isFalse(Signature.isSecretKey(text), text)
    for (const form of forms) assert.isTrue(Signature.isSecretKey(form))
  })
})
