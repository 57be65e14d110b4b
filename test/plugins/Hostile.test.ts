/**
 * Servers that break the rules of their protocol. The checks run in a program of their own: what
 * would end or hang it, ends or hangs that.
 */
import { assert, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { writeFile } from "node:fs/promises"
import { afterAll, beforeAll, vi } from "vitest"
import { Database } from "../../src/plugins/Database.js"
import * as Redis from "../../src/plugins/Redis.js"
import * as Certificates from "../support/Certificates.js"
import type { LastLine, Line, Target } from "../support/hostile/checks.js"
import * as HostileServer from "../support/hostile/HostileServer.js"
import { mutant, record, type Recording } from "../support/hostile/mutate.js"
import { int32, message, postgresCases } from "../support/hostile/postgresCases.js"
import { redisCases } from "../support/hostile/redisCases.js"
import { PostgresServer } from "../support/PostgresServer.js"
import * as Program from "../support/Program.js"
import { RedisServer } from "../support/RedisServer.js"
import { describeWithServices } from "../support/Services.js"
import * as TempDir from "../support/TempDir.js"
import { runnable } from "./runnable.js"

const isSoak = process.env.HOLTER_TEST_SOAK === "1"
const mutants = isSoak ? 20_000 : 200

let program: Program.Bundle
beforeAll(async () => {
  program = await Program.bundle("test/support/hostile/checks.ts")
})
afterAll(() => program.dispose())

/** Without a patience of its own a check waits longer than any machine is slow. */
const checked = (targets: ReadonlyArray<Target>, concurrency: number, patienceMillis = 20_000) =>
  Effect.gen(function* () {
    const folder = yield* TempDir.make("hostile")
    const file = `${folder}/targets.json`
    yield* Effect.promise(() => writeFile(file, JSON.stringify(targets)))
    const running = yield* Program.start(program.file, {
      args: [file, String(concurrency), String(patienceMillis)],
      timeout: isSoak ? "20 minutes" : "90 seconds"
    })
    const ended = yield* running.exit
    assert.strictEqual(ended.code, 0, ended.stderr)
    assert.strictEqual(ended.stderr, "")
    const lines = ended.stdout.trim().split("\n")
    const { maxRssBytes, uncaught } = JSON.parse(lines.pop() ?? "") as LastLine
    assert.deepStrictEqual(uncaught, [])
    assert.isBelow(maxRssBytes, 400e6)
    const results = lines.map((line) => JSON.parse(line) as Line)
    assert.strictEqual(results.length, targets.length)
    return new Map(results.map((result) => [result.name, result]))
  })

const postgresUrl = (port: number, parameters = "?sslmode=disable") =>
  `postgresql://bot:secret@127.0.0.1:${port}/bot${parameters}`
const redisUrl = (port: number) => `redis://127.0.0.1:${port}`

describeWithServices(["postgres", "redis"], "hostile servers", () => {
  vi.setConfig({ testTimeout: isSoak ? 1_300_000 : 120_000 })

  it.scopedLive(
    "PostgreSQL: each is a result that says what was found, and memory stays bounded",
    () =>
      Effect.gen(function* () {
        const servers = yield* Effect.forEach(postgresCases, ({ script }) =>
          HostileServer.make((socket) => script(socket), { asksForTls: true })
        )
        const targets = postgresCases.map(
          ({ name }, index): Target => ({
            name,
            type: "postgresql",
            url: postgresUrl(servers[index]?.port ?? 0)
          })
        )
        const results = yield* checked(targets, 4)
        for (const { found, name } of postgresCases) {
          const result = results.get(name)
          assert.strictEqual(result?.status, "unhealthy", name)
          assert.match(result?.message ?? "", found, name)
          assert.notInclude(result?.message, "secret")
        }
      })
  )

  it.scopedLive("Redis: each is a result that says what was found, and memory stays bounded", () =>
    Effect.gen(function* () {
      const servers = yield* Effect.forEach(redisCases, ({ script }) =>
        HostileServer.make((socket) => script(socket))
      )
      const targets = redisCases.map(
        ({ name }, index): Target => ({
          name,
          type: "redis",
          url: redisUrl(servers[index]?.port ?? 0)
        })
      )
      const results = yield* checked(targets, 4)
      for (const { found, name } of redisCases) {
        const result = results.get(name)
        assert.strictEqual(result?.status, "unhealthy", name)
        assert.match(result?.message ?? "", found, name)
      }
    })
  )

  it.scopedLive("also after TLS", () =>
    Effect.gen(function* () {
      const tls = yield* (yield* Certificates.make).issue("valid")
      const postgres = yield* HostileServer.make(
        (socket) => () => void socket.write(message("R", int32(9))),
        { asksForTls: true, tls }
      )
      const redis = yield* HostileServer.make(
        (socket) => () => void socket.write("*4294967296\r\n"),
        { tls }
      )
      const results = yield* checked(
        [
          {
            name: "postgresql",
            type: "postgresql",
            url: postgresUrl(postgres.port, "?sslmode=require")
          },
          {
            name: "redis",
            type: "redis",
            url: `rediss://127.0.0.1:${redis.port}?ssl_cert_reqs=none`
          }
        ],
        2
      )
      assert.match(results.get("postgresql")?.message ?? "", /Kerberos \(SSPI\)/)
      assert.match(results.get("redis")?.message ?? "", /more than 1024 elements/)
    })
  )

  it.scopedLive("a real PostgreSQL that asks for Kerberos", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make({
        hba: ["host all gssuser 127.0.0.1/32 gss", "host all all all scram-sha-256"]
      })
      const results = yield* checked(
        [
          { name: "gss", type: "postgresql", url: server.urlWith({ user: "gssuser" }) },
          { name: "other", type: "postgresql", url: server.url }
        ],
        2
      )
      const gss = results.get("gss")
      assert.deepStrictEqual([gss?.status, gss?.reason], ["unhealthy", "LoginUnsupported"])
      assert.include(gss?.message, "asks for Kerberos (GSSAPI), which is not supported")
      assert.include(gss?.message, "pg_hba.conf")
      assert.strictEqual(results.get("other")?.status, "healthy", results.get("other")?.message)
    })
  )

  it.scopedLive(`${mutants} mutations of good answers of PostgreSQL`, () =>
    Effect.gen(function* () {
      const hba = ["host all trusted all trust", "host all all all scram-sha-256"]
      const server = yield* PostgresServer.make({ hba })
      yield* server.query("CREATE ROLE trusted LOGIN")
      const recorded = (user: string, password: string) =>
        record(server, (port) =>
          Effect.flatten(
            runnable(
              Database.layerStandalone({
                url: Redacted.make(
                  `postgresql://${user}:${encodeURIComponent(password)}@127.0.0.1:${port}/${server.database}?sslmode=disable`
                )
              })
            )
          )
        )
      const plain = yield* recorded("trusted", "")
      const scram = yield* recorded(server.user, server.password)
      assert.deepStrictEqual([plain.length, scram.length], [2, 4])
      yield* survives("postgresql", [plain, plain, scram])
    })
  )

  it.scopedLive(`${mutants} mutations of good answers of Redis`, () =>
    Effect.gen(function* () {
      const server = yield* RedisServer.make()
      const good = yield* record(server, (port) =>
        Effect.flatten(
          runnable(Redis.Redis.layerStandalone({ url: Redacted.make(redisUrl(port)) }))
        )
      )
      assert.strictEqual(good.length, 1)
      yield* survives("redis", [good])
    })
  )
})

/** Each mutant has a result, none of them an uncaught error, a hang or much memory. */
const survives = (type: Target["type"], recordings: ReadonlyArray<Recording>) =>
  Effect.gen(function* () {
    const server = yield* HostileServer.make((socket, connection) => {
      const good = recordings[connection % recordings.length] ?? []
      const bad = mutant(good, connection)
      return (turn) => {
        const bytes = bad[turn]
        if (bytes !== undefined) socket.write(bytes)
        // Most do not leave the client in doubt for long.
        if (bytes !== good[turn] && connection % 8 !== 0) socket.end()
      }
    })
    const url = type === "redis" ? redisUrl(server.port) : postgresUrl(server.port)
    const targets = Array.from(
      { length: mutants },
      (_, index): Target => ({ name: String(index), type, url })
    )
    const results = yield* checked(targets, 16, 200)
    const statuses = new Set([...results.values()].map(({ status }) => status))
    assert.include([...statuses], "unhealthy")
  })
