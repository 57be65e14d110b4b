import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { PostgresServer } from "../../support/PostgresServer.js"
import { describeWithServices } from "../../support/Services.js"
import * as TempDir from "../../support/TempDir.js"
import {
  dumpOptions,
  execute,
  fingerprint,
  fingerprintOfRich,
  payloadOf,
  rich,
  silent,
  strategyOf,
  tablesOfRich
} from "./PostgresFixture.js"

const setUp = Effect.gen(function* () {
  const server = yield* PostgresServer.make()
  const app = yield* server.session()
  yield* app.query(rich)
  yield* server.query("ALTER ROLE holter CREATEDB")
  return { server, folder: yield* TempDir.make("backup") }
})

describeWithServices("postgres", "Dumps of PostgreSQL", () => {
  it.scopedLive("one file: complete, private, with its tables counted, restored elsewhere", () =>
    Effect.gen(function* () {
      const { folder, server } = yield* setUp
      const strategy = yield* strategyOf(server.url)
      const options = dumpOptions(folder)
      const dump = yield* strategy.dump(options)
      assert.deepStrictEqual(
        [...dump.tables].sort((a, b) => (a.name < b.name ? -1 : 1)),
        tablesOfRich
      )
      assert.strictEqual(dump.strategy, "pg_dump-custom")
      assert.deepStrictEqual(dump.database, {
        engine: "postgresql",
        name: "holter",
        location: `127.0.0.1:${server.port}`,
        identity: yield* strategy.identity ?? Effect.succeed(undefined)
      })
      assert.match(dump.database.identity?.id ?? "", /^\d{15,}$/)
      const bytes = yield* Effect.promise(() => fs.readFile(options.path))
      assert.strictEqual(dump.bytes, bytes.length)
      assert.strictEqual(dump.sha256, createHash("sha256").update(bytes).digest("hex"))
      const stat = yield* Effect.promise(() => fs.stat(options.path))
      assert.strictEqual(stat.mode & 0o777, 0o600)
      const verified = yield* strategy.verify(payloadOf(options.path, dump), {
        deep: false,
        onProgress: silent
      })
      assert.deepStrictEqual(verified.warnings, [])
      const drilled = yield* strategy.drill(payloadOf(options.path, dump), { onProgress: silent })
      assert.deepStrictEqual(drilled.tables, dump.tables)
      assert.deepStrictEqual(
        yield* server.query("SELECT datname FROM pg_database WHERE datname LIKE 'holter_%'"),
        []
      )

      // And by plain pg_restore.
      const app = yield* server.session()
      yield* app.query("CREATE DATABASE plain")
      yield* execute(
        "pg_restore",
        "--exit-on-error",
        "-d",
        server.urlWith({ database: "plain" }),
        options.path
      )
      const { stdout } = yield* execute(
        "psql",
        server.urlWith({ database: "plain" }),
        "-Atc",
        `SELECT to_json(f) FROM (${fingerprint}) f`
      )
      assert.deepStrictEqual(JSON.parse(stdout), fingerprintOfRich)
    })
  )

  it.scopedLive("jobs: 2 gives a directory whose parts are hashed", () =>
    Effect.gen(function* () {
      const { folder, server } = yield* setUp
      const strategy = yield* strategyOf(server.url, { jobs: 2 })
      const options = dumpOptions(folder)
      const dump = yield* strategy.dump(options)
      assert.strictEqual(dump.strategy, "pg_dump-directory")
      const names = yield* Effect.promise(() => fs.readdir(options.path))
      assert.deepStrictEqual(
        dump.parts?.map((part) => part.path),
        names.sort()
      )
      assert.strictEqual((yield* Effect.promise(() => fs.stat(options.path))).mode & 0o777, 0o700)
      for (const name of names) {
        const stat = yield* Effect.promise(() => fs.stat(path.join(options.path, name)))
        assert.strictEqual(stat.mode & 0o777, 0o600, name)
      }
      const payload = payloadOf(options.path, dump)
      const listed = yield* execute(
        "sh",
        "-c",
        `cd '${options.path}' && LC_ALL=C sha256sum * | sha256sum`
      )
      assert.strictEqual(listed.stdout.slice(0, 64), dump.sha256)
      yield* strategy.verify(payload, { deep: false, onProgress: silent })
      const drilled = yield* strategy.drill(payload, { onProgress: silent })
      assert.deepStrictEqual(drilled.tables, dump.tables)
    })
  )
})
