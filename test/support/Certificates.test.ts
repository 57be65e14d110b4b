import { assert, describe, layer } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { X509Certificate } from "node:crypto"
import * as https from "node:https"
import * as Certificates from "./Certificates.js"
import * as Behaviour from "./doubles/Behaviour.js"
import * as HttpDouble from "./HttpDouble.js"

class Authority extends Context.Tag("holter/test/Authority")<
  Authority,
  Certificates.Certificates
>() {
  static readonly layer = Layer.scoped(Authority, Certificates.make)
}

const get = (url: string, ca: string) =>
  Effect.async<number, NodeJS.ErrnoException>((resume) => {
    const request = https.get(url, { ca, agent: false }, (response) => {
      response.resume()
      resume(Effect.succeed(response.statusCode ?? 0))
    })
    request.on("error", (error) => resume(Effect.fail(error)))
    return Effect.sync(() => request.destroy())
  })

/** What a client that trusts the root makes of a server with such a certificate. */
const verdict = (kind: Certificates.Kind, trusted = true) =>
  Effect.gen(function* () {
    const authority = yield* Authority
    const tls = yield* authority.issue(kind)
    const double = yield* HttpDouble.make({ tls, routes: { "/": Behaviour.text(200, "ok") } })
    assert.match(double.url, /^https:/)
    const other = (yield* authority.issue("self-signed")).cert
    return yield* get(double.url, trusted ? authority.ca : other).pipe(
      Effect.catchAll((error) => Effect.succeed(error.code))
    )
  }).pipe(Effect.scoped)

describe("Certificates", () => {
  layer(Authority.layer, { excludeTestServices: true })((it) => {
    it.effect("are refused for the reason they were made for", () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* verdict("valid"), 200)
        assert.strictEqual(yield* verdict({ days: 5 }), 200)
        assert.strictEqual(yield* verdict("expired"), "CERT_HAS_EXPIRED")
        assert.strictEqual(yield* verdict("not-yet-valid"), "CERT_NOT_YET_VALID")
        assert.strictEqual(yield* verdict("wrong-host"), "ERR_TLS_CERT_ALTNAME_INVALID")
        assert.strictEqual(yield* verdict("self-signed"), "DEPTH_ZERO_SELF_SIGNED_CERT")
        assert.strictEqual(yield* verdict("incomplete-chain"), "UNABLE_TO_VERIFY_LEAF_SIGNATURE")
        assert.strictEqual(yield* verdict("valid", false), "UNABLE_TO_GET_ISSUER_CERT_LOCALLY")
      })
    )

    it.effect("last as many days as they were asked to", () =>
      Effect.gen(function* () {
        const authority = yield* Authority
        const { cert } = yield* authority.issue({ days: 5 })
        const end = Date.parse(new X509Certificate(cert).validTo)
        assert.strictEqual(Math.floor((end - Date.now()) / 86_400_000), 5)
      })
    )
  })

  layer(Authority.layer, { excludeTestServices: true })((it) => {
    it.scoped("a TLS server can reset too", () =>
      Effect.gen(function* () {
        const authority = yield* Authority
        const tls = yield* authority.issue("valid")
        const double = yield* HttpDouble.make({ tls, routes: { "/": Behaviour.reset } })
        const error = yield* Effect.flip(get(double.url, authority.ca))
        assert.strictEqual(error.code, "ECONNRESET")
      })
    )
  })
})
