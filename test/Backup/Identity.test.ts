import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Identity from "../../src/Backup/Backup/Identity.js"

const at = (location: string) => ({ engine: "sqlite", name: "bot", location })
const web1 = { given: undefined, host: "web1" }

describe("The identity of a database", () => {
  for (const location of [
    "/srv/bot",
    "/run/postgresql/.s.PGSQL.5432",
    "localhost:5432",
    "127.0.0.1:5432",
    "[::1]:5432"
  ]) {
    it(`names the machine for ${location}, which each machine has`, () => {
      assert.deepStrictEqual(Identity.withHost(at(location), web1), {
        ...at(location),
        host: "web1"
      })
      const nameless = { given: undefined, host: undefined }
      assert.deepStrictEqual(Identity.withHost(at(location), nameless), at(location))
    })
  }

  for (const location of ["db.example.org:5432", "10.0.0.7:5432", "[fd00::1]:5432"]) {
    it(`does without it for ${location}, which all machines reach`, () =>
      assert.deepStrictEqual(Identity.withHost(at(location), web1), at(location)))

    it(`names the machine for ${location} where the operator says which one it is`, () =>
      assert.strictEqual(
        Identity.withHost(at(location), { given: "mine", host: "web1" }).host,
        "mine"
      ))
  }

  it("leaves alone what a strategy says of its own", () =>
    assert.strictEqual(Identity.withHost({ ...at("/srv"), host: "mine" }, web1).host, "mine"))

  it.effect("has what the database says of itself, and the name that the operator gave it", () =>
    Effect.gen(function* () {
      const identify = (own: { readonly id: string } | undefined, label: string | undefined) =>
        Effect.map(
          Identity.identify({ identity: Effect.succeed(own) }, at("/srv"), { ...web1, label }),
          ({ identity }) => identity
        )
      assert.deepStrictEqual(yield* identify({ id: "7" }, undefined), { id: "7" })
      assert.deepStrictEqual(yield* identify({ id: "7" }, "main"), { id: "7", label: "main" })
      assert.deepStrictEqual(yield* identify(undefined, "main"), { label: "main" })
      assert.isUndefined(yield* identify(undefined, undefined))
    })
  )

  it("takes no name that a container has only until its next start", () => {
    for (const name of ["", "3f4e8b8c1a2d", "bot-7d9c6b5f4-x2x9k", "backup-28912345-zzqlp"]) {
      assert.isUndefined(Identity.stableName(name), name)
    }
    for (const name of ["web1", "bot-0", "MacBook-Pro.local", "deadbeef", "db-eu-west-1"]) {
      assert.strictEqual(Identity.stableName(name), name)
    }
  })
})
