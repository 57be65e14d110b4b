import { assert, describe, it } from "@effect/vitest"
import * as PostgresError from "../../src/Postgres/PostgresError.js"

describe("PostgresError", () => {
  it.each([
    ["no such database: bot", "DatabaseMissing"],
    ["no such user: bot", "AuthFailed"],
    ["password authentication failed", "AuthFailed"],
    ["no more connections allowed (max_client_conn)", "TooManyConnections"],
    ["query_wait_timeout", "NotAccepting"],
    ["unsupported startup parameter: options", "QueryFailed"]
  ])("what a pooler says is told in its own words: %s", (message, reason) => {
    const error = PostgresError.fromCause({ code: "08P01", message }, "h:6432")
    assert.deepStrictEqual([error.reason, error.found], [reason, message])
  })

  it("another 08P01 is a broken connection", () => {
    const error = PostgresError.fromCause({ code: "08P01", message: "invalid frontend" }, "h:1")
    assert.strictEqual(error.reason, "Unreachable")
  })
})
