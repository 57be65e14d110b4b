import { assert, describe, it } from "@effect/vitest"
import * as Invocation from "../../src/Cli/Invocation.js"

const commandOf = (...words: ReadonlyArray<string>) =>
  Invocation.of(["node", "holter", ...words]).command

describe("what was typed", () => {
  it("is the same command, whatever flags stand before it", () => {
    assert.strictEqual(commandOf("watch", "--verbose"), "watch")
    assert.strictEqual(commandOf("--trust-config", "watch"), "watch")
    assert.strictEqual(commandOf("--log-level", "debug", "watch"), "watch")
    assert.strictEqual(commandOf("--log-level", "--trust-config", "debug", "watch"), "watch")
    assert.strictEqual(commandOf("--log-level=debug", "--trust-config", "watch"), "watch")
    assert.strictEqual(commandOf("check", "--only", "watch"), "check")
    assert.isUndefined(commandOf("--version"))
    assert.isUndefined(commandOf())
  })

  it("is left without the trust in the configuration file, which is told apart", () => {
    const trusted = Invocation.of(["node", "holter", "watch", "--trust-config", "--json-lines"])
    assert.deepStrictEqual(trusted, {
      argv: ["node", "holter", "watch", "--json-lines"],
      command: "watch",
      trusts: true
    })
    assert.isFalse(Invocation.of(["node", "holter", "watch"]).trusts)
  })
})
