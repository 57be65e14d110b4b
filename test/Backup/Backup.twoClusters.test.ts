/** Backups in one directory of databases that have one name at one address. */
import { NodeContext } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as Backup from "../../src/Backup/Backup.js"
import * as BackupStore from "../../src/Backup/BackupStore.js"
import * as BackupStrategy from "../../src/Backup/BackupStrategy.js"
import { PostgresServer, type PostgresInstance } from "../support/PostgresServer.js"
import { describeWithServices } from "../support/Services.js"
import * as TempDir from "../support/TempDir.js"

type Service = typeof Backup.Backup.Service

const latest: Backup.Choice = { _tag: "Latest" }

const on = (server: PostgresInstance, directory: string, options: Partial<Backup.Options> = {}) => {
  const layer = Backup.layer({ app: "Bot", keep: 1, ...options }).pipe(
    Layer.provide(BackupStore.layerDirectory({ path: directory })),
    Layer.provide(BackupStrategy.layerUrl(server.url)),
    Layer.provide(NodeContext.layer)
  )
  return <A, E>(use: (backup: Service) => Effect.Effect<A, E>) =>
    Effect.provide(Effect.flatMap(Backup.Backup, use), layer)
}

const filled = (server: PostgresInstance, rows: number) =>
  Effect.zipRight(
    server.query(`DROP TABLE IF EXISTS orders`),
    server.query(
      `CREATE TABLE orders AS SELECT generate_series(1, ${rows}) AS id; ALTER TABLE orders OWNER TO holter`
    )
  )

const rowsOf = (server: PostgresInstance) =>
  Effect.map(
    server.query<{ count: number }>("SELECT count(*)::int FROM orders"),
    ([row]) => row?.count
  )

const backupsIn = (directory: string) =>
  readdirSync(directory).filter((name) => name.endsWith(".dump"))

/** As an older Holter wrote it. */
const forgetIdentities = (directory: string) => {
  for (const name of readdirSync(directory).filter((file) => file.endsWith(".json"))) {
    const file = path.join(directory, name)
    const manifest = JSON.parse(readFileSync(file, "utf8")) as {
      dump: { database: { identity?: unknown } }
    }
    delete manifest.dump.database.identity
    writeFileSync(file, JSON.stringify(manifest))
  }
}

/** Two clusters that have one address, one after the other. */
const clusters = Effect.gen(function* () {
  const first = yield* PostgresServer.make()
  yield* filled(first, 1)
  yield* first.stop
  const second = yield* PostgresServer.make({ anotherCluster: true, port: first.port })
  yield* filled(second, 2)
  const directory = yield* TempDir.make("clusters")
  return {
    first,
    second,
    directory,
    turn: (server: PostgresInstance) =>
      Effect.zipRight(server === first ? second.stop : first.stop, server.start)
  }
})

describeWithServices("postgres", "Two clusters at one address", () => {
  it.scopedLive(
    "keep their backups and get their own back",
    () =>
      Effect.gen(function* () {
        const { directory, first, second, turn } = yield* clusters
        const [one, other] = [on(first, directory), on(second, directory)]
        yield* turn(first)
        const kept = yield* one((it) => it.create())
        yield* turn(second)
        const refused = yield* Effect.flip(other((it) => it.plan(latest)))
        assert.strictEqual(refused.reason, "WrongDatabase")
        assert.include(refused.message, "--allow-other restores the newest backup of that other")
        assert.match(refused.message, /system identifier \d+.*system identifier \d+/s)
        const beside = yield* other((it) => it.create())
        assert.include(beside.warnings.join(), "1 backup of another holter at")
        yield* other((it) => it.create())
        assert.include(backupsIn(directory), kept.name)
        assert.lengthOf(backupsIn(directory), 2)
        const { kept: verdicts } = yield* other((it) => it.prune({ dryRun: true }))
        assert.include(
          verdicts.find(({ name }) => name === kept.name)?.because,
          "of another database"
        )
        yield* turn(first)
        yield* filled(first, 0)
        assert.strictEqual((yield* one((it) => it.restore(latest)))?.name, kept.name)
        assert.strictEqual(yield* rowsOf(first), 1)
        // By its name it is meant; that it is another's is told.
        const [stranger] = backupsIn(directory).filter((name) => name > kept.name)
        const plan = yield* one((it) => it.plan({ _tag: "File", file: stranger ?? "" }))
        assert.include(plan.warnings.join(), "that is another database")
        // One road is as good as another.
        const byName = on({ ...first, url: first.urlWith({ host: "localhost" }) }, directory)
        assert.strictEqual((yield* byName((it) => it.plan(latest))).name, kept.name)
        // A copy of a whole server has its number as well: the machine that the operator names counts.
        const [web1, web2] = ["web1", "web2"].map((host) => on(first, directory, { host }))
        const made = yield* web1?.((it) => it.create()) ?? Effect.die("no host")
        const elsewhere = yield* Effect.flip(
          web2?.((it) => it.plan(latest)) ?? Effect.die("no host")
        )
        assert.include(elsewhere.message, made.name)
        assert.include(elsewhere.message, "on web1")
      }),
    120_000
  )

  it.scopedLive(
    "lose nothing where the server hides its number, or a manifest has none",
    () =>
      Effect.gen(function* () {
        const { directory, first, second, turn } = yield* clusters
        const [one, other] = [on(first, directory), on(second, directory)]
        yield* second.query("ALTER ROLE holter CREATEDB")
        yield* second.query("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
        yield* turn(first)
        const kept = yield* one((it) => it.create())
        forgetIdentities(directory)
        yield* turn(second)
        yield* other((it) => it.create())
        const last = yield* other((it) => it.create())
        assert.lengthOf(backupsIn(directory), 3)
        assert.include(last.warnings.join(), "backup.identity")
        const refused = yield* Effect.flip(other((it) => it.restore(latest)))
        assert.strictEqual(refused.reason, "WrongDatabase")
        assert.include(refused.message, `choose it by its name: ${last.name}`)
        const named = other((it) => it.plan({ _tag: "File", file: last.name }))
        assert.include((yield* named).warnings.join(), "is not known")
        // A drill only reads: it goes on, and tells the doubt.
        assert.strictEqual((yield* other((it) => it.drill())).name, last.name)
        const called = on(second, directory, { identity: "second" })
        for (let round = 0; round < 2; round++) yield* called((it) => it.create())
        assert.lengthOf(backupsIn(directory), 4)
        yield* turn(first)
        // What it made itself before it knew its number stays, and that is told once.
        const upgraded = yield* one((it) => it.create())
        assert.include(upgraded.warnings.join(), "remove them by hand")
        assert.notInclude((yield* one((it) => it.create())).warnings.join(), "by hand")
        assert.include(backupsIn(directory), kept.name)
        assert.isAbove((yield* one((it) => it.plan(latest))).name.localeCompare(upgraded.name), 0)
      }),
    120_000
  )

  it.scopedLive(
    "are known apart where the database at hand is gone",
    () =>
      Effect.gen(function* () {
        const { directory, second } = yield* clusters
        yield* second.query("CREATE DATABASE gone OWNER holter")
        const gone = on({ ...second, url: second.urlWith({ database: "gone" }) }, directory)
        const made = yield* gone((it) => it.create())
        yield* second.query("DROP DATABASE gone")
        const plan = yield* gone((it) => it.plan(latest))
        assert.strictEqual(plan.name, made.name)
        assert.strictEqual(plan.present._tag, "Absent")
      }),
    120_000
  )
})
