/** Names that are looked up while name servers misbehave, each in a network of its own. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { CheckResult } from "../../src/Check/CheckResult.js"
import * as Namespace from "../support/Namespace.js"
import * as Program from "../support/Program.js"

interface Told {
  readonly results: ReadonlyArray<CheckResult>
  readonly millis: number
  readonly sent: string
  readonly questions: ReadonlyArray<string>
}

let program: Program.Bundle

const told = (mode: string, resolvConf: string) =>
  Effect.gen(function* () {
    const { code, stderr, stdout } = yield* Namespace.run(program.file, { resolvConf }, [mode])
    assert.strictEqual(code, 0, stderr)
    return JSON.parse(stdout) as Told
  })

const by = (status: string, { results }: Told) =>
  results.filter((result) => result.status === status).map(({ service }) => service)

const suite = Namespace.isPermitted() ? describe : describe.skip // eslint-disable-line no-restricted-syntax -- namespaces need Linux and root
suite("names while name servers misbehave", { timeout: 60_000 }, () => {
  beforeAll(async () => {
    program = await Program.bundle("test/System/namesProgram.ts")
  })
  afterAll(() => program.dispose())

  it.scopedLive("names of a dead zone hold up nobody, and the result names the look-up", () =>
    Effect.gen(function* () {
      const found = yield* told("zone", "nameserver 127.0.0.1\n")
      assert.strictEqual(by("healthy", found).length, 20)
      const dead = found.results.filter(({ service }) => service.includes("dead"))
      for (const result of dead) {
        assert.strictEqual(result.reason, "DnsFailed", result.message)
        assert.include(
          result.message,
          `name look-up of ${result.service}: no answer from 127.0.0.1`
        )
      }
      // All checks of one name shared its questions.
      assert.isAtMost(found.questions.filter((one) => one === "A good.test").length, 4)
      assert.strictEqual(found.sent, "Right", "the alert went out with every name server silent")
    })
  )

  it.scopedLive("the first name server is silent, the second answers", () =>
    Effect.gen(function* () {
      const conf = "nameserver 127.0.0.9\nnameserver 127.0.0.1\n"
      const found = yield* told("second", conf)
      assert.strictEqual(by("healthy", found).length, 20)
    })
  )
})
