/**
 * What a pooler refuses. The answers were recorded from pgbouncer 1.18 before PostgreSQL 15; the last
 * two say it at once, the others after the password.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { Database } from "../../src/plugins/Database.js"
import * as HostileServer from "../support/hostile/HostileServer.js"
import { int32, message } from "../support/hostile/postgresCases.js"
import { runnable } from "./runnable.js"

const refusal = (said: string) => message("E", `SFATAL\0C08P01\0M${said}\0\0`)
const askForMd5 = message("R", int32(5), "\x05\x3f\x12\x63")

const check = (port: number) =>
  Effect.flatten(
    runnable(
      Database.layerStandalone(
        { url: Redacted.make(`postgresql://bot:secret-1@127.0.0.1:${port}/bot?sslmode=disable`) },
        { timeout: "5 seconds" }
      )
    )
  )

describe("Database behind a pooler", () => {
  it.scopedLive.each([
    ["no such database: bot", "DatabaseMissing", "in the pooler's configuration", true],
    ['database "bot" does not exist', "DatabaseMissing", "in the pooler's configuration", true],
    ["password authentication failed", "AuthFailed", "the pooler's auth_file", true],
    ["query_wait_timeout", "NotAccepting", "pool_size", true],
    [
      "no more connections allowed (max_client_conn)",
      "TooManyConnections",
      "raise the pooler's limit",
      false
    ],
    [
      "unsupported startup parameter: options",
      "QueryFailed",
      "the pooler's ignore_startup_parameters",
      false
    ]
  ] as const)("%s: in its own words, asked once", ([said, reason, next, afterLogin]) =>
    Effect.gen(function* () {
      const pooler = yield* HostileServer.make((socket) => (turn) => {
        if (afterLogin && turn === 0) socket.write(askForMd5)
        else socket.end(refusal(said))
      })
      const result = yield* check(pooler.port)
      assert.deepStrictEqual([result.status, result.reason], ["unhealthy", reason])
      assert.include(result.message, `(${said})`)
      assert.include(result.message, next)
      assert.notInclude(result.message, "pg_hba.conf")
      assert.strictEqual(pooler.connections(), 1)
    })
  )

  it.scopedLive("a broken connection is tried twice", () =>
    Effect.gen(function* () {
      const broken = yield* HostileServer.make((socket) => () => socket.end(refusal("bad packet")))
      const result = yield* check(broken.port)
      assert.strictEqual(result.reason, "Unreachable")
      assert.strictEqual(broken.connections(), 2)
    })
  )
})
