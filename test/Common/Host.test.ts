import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as Host from "../../src/Common/Host.js"

const withCode = (code: string) => Object.assign(new Error(`connect ${code}`), { code })

describe("Host", () => {
  it.each([
    ["ECONNREFUSED", "Refused", "connection refused"],
    ["ENOENT", "Refused", "there is no such socket"],
    ["ENOTFOUND", "DnsFailed", "the host name is unknown"],
    ["EAI_AGAIN", "DnsFailed", "the host name cannot be looked up now"],
    ["ECONNRESET", "Reset", "connection reset"],
    ["ETIMEDOUT", "Unreachable", "connection timed out"],
    ["EHOSTUNREACH", "Unreachable", "host unreachable"],
    ["EACCES", "Unreachable", "no permission to connect"]
  ])("%s is %s: %s", (code, reason, problem) => {
    const failures = [withCode(code), new AggregateError([withCode(code), withCode("EINVAL")])]
    for (const failure of failures) {
      assert.strictEqual(Host.socketReason(failure), reason)
      assert.strictEqual(Host.socketProblem(failure), problem)
      assert.isUndefined(Host.tlsProblem(failure))
    }
  })

  it.each([
    "DEPTH_ZERO_SELF_SIGNED_CERT",
    "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    "CERT_HAS_EXPIRED",
    "ERR_TLS_CERT_ALTNAME_INVALID",
    "ERR_SSL_WRONG_VERSION_NUMBER",
    "EPROTO"
  ])("%s is a matter of TLS", (code) => {
    assert.strictEqual(Host.tlsProblem(withCode(code)), code)
    assert.isUndefined(Host.socketProblem(withCode(code)))
  })

  it.each([new Error("without a code"), withCode("28P01"), "ECONNREFUSED", undefined])(
    "%s is nothing of the network's",
    (failure) => {
      assert.isUndefined(Host.socketReason(failure))
      assert.isUndefined(Host.socketProblem(failure))
      assert.isUndefined(Host.tlsProblem(failure))
    }
  )

  it("a name as DNS and TLS know it", () => {
    assert.strictEqual(Host.ascii("bücher.test"), "xn--bcher-kva.test")
    assert.strictEqual(Host.ascii("_sip._tcp.Bücher.test"), "_sip._tcp.xn--bcher-kva.test")
    for (const host of ["example.test", "Example.test.", "::1", "10.0.0.1", "a_b"]) {
      assert.strictEqual(Host.ascii(host), host)
    }
    assert.isTrue(Schema.is(Host.host)("bücher.test"))
    assert.isFalse(Schema.is(Host.host)("\u00ad"))
  })

  it("writes an address of IPv6 in brackets", () => {
    assert.strictEqual(Host.address({ host: "::1", port: 80 }), "[::1]:80")
    assert.strictEqual(Host.address({ host: "127.0.0.1", port: 80 }), "127.0.0.1:80")
  })
})
