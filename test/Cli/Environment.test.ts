import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as Environment from "../../src/Cli/Environment.js"
import { within, type World } from "./inMemory.js"

const read = (name: string, world: World) => Effect.provide(Environment.read(name), within(world))

describe("Environment", () => {
  it.effect("reads a variable as it is", () =>
    Effect.gen(function* () {
      // Commas, blanks and `=` are separators to other readers.
      const text = " a,b; c=d\n"
      const value = yield* read("REDIS_URL", { variables: { REDIS_URL: text } })
      assert.deepStrictEqual(Option.getOrNull(value), text)
    })
  )

  it.effect("takes a missing and an empty variable for not set", () =>
    Effect.gen(function* () {
      assert.isTrue(Option.isNone(yield* read("REDIS_URL", {})))
      assert.isTrue(Option.isNone(yield* read("REDIS_URL", { variables: { REDIS_URL: "" } })))
      const empty = { variables: { REDIS_URL: "a", REDIS_URL_FILE: "" } }
      assert.deepStrictEqual(Option.getOrNull(yield* read("REDIS_URL", empty)), "a")
    })
  )

  it.effect("reads the file that NAME_FILE names, without the line break at its end", () =>
    Effect.gen(function* () {
      for (const [text, expected] of [
        ["s3cret", "s3cret"],
        ["s3cret\n", "s3cret"],
        ["s3cret\r\n", "s3cret"],
        // Only one is an editor's; more are in the secret, and refused where it is used.
        ["s3cret\n\n", "s3cret\n"],
        [" s3cret ", " s3cret "]
      ] as const) {
        const value = yield* read("TOKEN", {
          variables: { TOKEN_FILE: "/run/secrets/token" },
          files: { "/run/secrets/token": text }
        })
        assert.deepStrictEqual(Option.getOrNull(value), expected, JSON.stringify(text))
      }
    })
  )

  it.effect("takes an empty file for not set", () =>
    Effect.gen(function* () {
      for (const text of ["", "\n", "\r\n"]) {
        const value = yield* read("TOKEN", { variables: { TOKEN_FILE: "t" }, files: { t: text } })
        assert.isTrue(Option.isNone(value), JSON.stringify(text))
      }
    })
  )

  it.effect("refuses both forms at once, and shows neither value", () =>
    Effect.gen(function* () {
      const issue = yield* Effect.flip(
        read("TOKEN", {
          variables: { TOKEN: "canary-one", TOKEN_FILE: "t" },
          files: { t: "canary-two" }
        })
      )
      assert.deepStrictEqual(issue, {
        path: ["TOKEN"],
        expected: "only one of TOKEN and TOKEN_FILE to be set",
        found: "both"
      })
    })
  )

  it.effect("says which file cannot be read, and why", () =>
    Effect.gen(function* () {
      const missing = yield* Effect.flip(read("TOKEN", { variables: { TOKEN_FILE: "/nowhere" } }))
      assert.deepStrictEqual(missing, {
        path: ["TOKEN_FILE"],
        expected: "the path of a file that can be read",
        // The value is not shown: it may be the secret itself, put into the wrong variable.
        found: "a path that leads to none (NotFound)"
      })
      const closed = yield* Effect.flip(
        read("TOKEN", { variables: { TOKEN_FILE: "/closed" }, forbidden: ["/closed"] })
      )
      assert.strictEqual(closed.found, "a path that leads to none (PermissionDenied)")
    })
  )
})
