import { assert, describe, it } from "@effect/vitest"
import * as Identity from "../../src/Backup/Backup/Identity.js"

const at = (location: string) => ({ engine: "sqlite", name: "bot", location })

describe("The identity of a database", () => {
  for (const location of [
    "/srv/bot",
    "/run/postgresql/.s.PGSQL.5432",
    "localhost:5432",
    "127.0.0.1:5432",
    "[::1]:5432"
  ]) {
    it(`names the machine for ${location}, which each machine has`, () => {
      assert.deepStrictEqual(Identity.identify(at(location), "web1"), {
        ...at(location),
        host: "web1"
      })
      assert.deepStrictEqual(Identity.identify(at(location), undefined), at(location))
    })
  }

  for (const location of ["db.example.org:5432", "10.0.0.7:5432", "[fd00::1]:5432"]) {
    it(`does without it for ${location}, which all machines reach`, () =>
      assert.deepStrictEqual(Identity.identify(at(location), "web1"), at(location)))
  }

  it("leaves alone what a strategy says of its own", () =>
    assert.strictEqual(Identity.identify({ ...at("/srv"), host: "mine" }, "web1").host, "mine"))

  it("takes no name that a container has only until its next start", () => {
    for (const name of ["", "3f4e8b8c1a2d", "bot-7d9c6b5f4-x2x9k", "backup-28912345-zzqlp"]) {
      assert.isUndefined(Identity.stableName(name), name)
    }
    for (const name of ["web1", "bot-0", "MacBook-Pro.local", "deadbeef", "db-eu-west-1"]) {
      assert.strictEqual(Identity.stableName(name), name)
    }
  })
})
