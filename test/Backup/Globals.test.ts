/** Roles and tablespaces of a server, saved beside a backup. */
import { NodeContext } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, TestClock } from "effect"
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import * as path from "node:path"
import * as Backup from "../../src/Backup/Backup.js"
import * as BackupStore from "../../src/Backup/BackupStore.js"
import * as BackupStrategy from "../../src/Backup/BackupStrategy.js"
import type { Strategy } from "../../src/Backup/BackupStrategy/Strategy.js"
import * as LocalFiles from "../../src/Backup/LocalFiles.js"
import * as Manifest from "../../src/Backup/Manifest.js"
import { PostgresServer } from "../support/PostgresServer.js"
import { describeWithServices } from "../support/Services.js"
import * as TempDir from "../support/TempDir.js"
import * as Bench from "./bench.js"
import { adminUrl } from "./BackupStrategy/PostgresFixture.js"

const withGlobals = (strategy: Strategy): Strategy => ({
  ...strategy,
  globals: (file) => LocalFiles.write(file, "CREATE ROLE bot;\n")
})

const given = { strategy: withGlobals, options: { globals: true, keep: 1 } }
const isGlobals = (name: string) => name.endsWith(".globals.sql")

describe("Globals", () => {
  it.scoped("lie beside each backup and each copy for this user alone, and go with it", () =>
    Effect.gen(function* () {
      const { backup, copies, directory, files } = yield* Bench.make({ ...given, copies: 1 })
      yield* backup({ users: ["ann"] })
      const made = yield* backup({ users: ["ann", "bob"] })
      const [copy = ""] = copies
      for (const where of [directory, copy]) {
        const globals = Manifest.globalsOf(made.name)
        assert.deepStrictEqual(files(where), [made.name, globals, Manifest.fileOf(made.name)])
        assert.strictEqual(statSync(path.join(where, globals)).mode & 0o777, 0o600)
        assert.strictEqual(readFileSync(path.join(where, globals), "utf8"), "CREATE ROLE bot;\n")
      }
      assert.strictEqual(made.manifest.globals?.bytes, 17)
    })
  )

  it.scoped("are not saved unless they are wanted, nor for a restore", () =>
    Effect.gen(function* () {
      const { backup, files, run } = yield* Bench.make({ strategy: withGlobals })
      const made = yield* backup({ users: ["ann"] })
      assert.isUndefined(made.manifest.globals)
      yield* run((it) => it.create({ globals: true }))
      yield* run((it) => it.restore(Bench.latest))
      assert.lengthOf(files().filter(isGlobals), 1)
    })
  )

  it.scoped("are refused for a database without a server", () =>
    Effect.gen(function* () {
      const { files, run } = yield* Bench.make()
      const error = yield* Effect.flip(run((it) => it.create({ globals: true })))
      assert.strictEqual(error.reason, "WrongEngine")
      assert.include(error.message, "roles and tablespaces (PostgreSQL), found one of scripted")
      assert.deepStrictEqual(files(), [])
    })
  )

  it.scoped("are verified by their checksum, and say nothing against the backup", () =>
    Effect.gen(function* () {
      const { backup, directory, run } = yield* Bench.make({ ...given, copies: 1 })
      const made = yield* backup({ users: ["ann"] })
      const file = path.join(directory, Manifest.globalsOf(made.name))
      const verify = Effect.map(
        run((it) => it.verify()),
        ([first]) => first?.problem
      )
      assert.isUndefined(yield* verify)
      writeFileSync(file, "CREATE ROLE eve;\n")
      const changed = yield* verify
      assert.strictEqual(changed?.reason, "Corrupt")
      assert.include(changed?.message ?? "", "globals.sql")
      rmSync(file)
      assert.include((yield* verify)?.message ?? "", "no such file")
      yield* run((it) => it.restore(Bench.latest))
    })
  )

  it.scoped("of which a copy lacks its source are no reason to go without the copy", () =>
    Effect.gen(function* () {
      const { as, backup, copies, directory, files } = yield* Bench.make({
        ...given,
        copies: 1,
        options: { globals: true, keep: 3 }
      })
      const made = yield* backup({ users: ["ann"] })
      const [copy = ""] = copies
      for (const name of files(copy)) rmSync(path.join(copy, name))
      rmSync(path.join(directory, Manifest.globalsOf(made.name)))
      yield* TestClock.adjust("1 hour")
      const next = yield* as({})((it) => it.create())
      assert.deepStrictEqual(
        next.copies.map(({ problem }) => problem?.message),
        [undefined]
      )
      assert.include(files(copy), made.name)
      assert.notInclude(files(copy), Manifest.globalsOf(made.name))
    })
  )

  it.scoped("that are not what they were keep no copy back, nor the removal of old ones", () =>
    Effect.gen(function* () {
      const { as, backup, copies, directory, files, folder } = yield* Bench.make({
        ...given,
        copies: 1,
        options: { globals: true, keep: 2 }
      })
      const elsewhere = path.join(folder, "elsewhere")
      writeFileSync(elsewhere, "CREATE ROLE bot;\n")
      const [copy = ""] = copies
      for (const change of [
        (file: string) => writeFileSync(file, "CREATE ROLE eve;\n"),
        (file: string) => truncateSync(file, 2 ** 40),
        (file: string) => {
          rmSync(file)
          symlinkSync(elsewhere, file)
        }
      ]) {
        const made = yield* backup({ users: ["ann"] })
        for (const name of files(copy)) rmSync(path.join(copy, name))
        change(path.join(directory, Manifest.globalsOf(made.name)))
        const next = yield* as({})((it) => it.create())
        assert.deepStrictEqual(
          next.copies.map(({ problem }) => problem?.message),
          [undefined]
        )
        assert.isTrue(
          next.warnings.some((text) => text.includes(`${made.name} without its roles`)),
          next.warnings.join("\n")
        )
        assert.includeMembers([...files(copy)], [made.name, Manifest.globalsOf(next.name)])
        assert.notInclude(files(copy), Manifest.globalsOf(made.name))
      }
    })
  )

  it.scoped("of a run that was killed go with its manifest, and others' files stay", () =>
    Effect.gen(function* () {
      const { backup, directory, files } = yield* Bench.make({
        ...given,
        options: { globals: true, keep: 3 }
      })
      const made = yield* backup({ users: ["ann"] })
      rmSync(path.join(directory, made.name))
      const strange = "bot_scripted_20200101_000000_000.db.globals.sql"
      writeFileSync(path.join(directory, strange), "of somebody else")
      const next = yield* backup({ users: ["ann"] })
      assert.deepStrictEqual(next.swept, [Manifest.fileOf(made.name)])
      assert.deepStrictEqual(files().filter(isGlobals), [strange, Manifest.globalsOf(next.name)])
    })
  )

  it.scoped("that cannot be written are a warning: the dump is a backup without them too", () =>
    Effect.gen(function* () {
      const { files, run } = yield* Bench.make({
        options: { globals: true },
        strategy: (strategy) => ({
          ...strategy,
          globals: (file) => LocalFiles.write(path.join(file, "no directory"), "")
        })
      })
      const { manifest } = yield* run((it) => it.create())
      assert.isUndefined(manifest.globals)
      assert.include(manifest.dump.warnings.join(), "The roles and tablespaces were not saved: ")
      assert.isEmpty(files().filter((name) => name.includes("globals")))
    })
  )
})

describeWithServices("postgres", "Globals of PostgreSQL", () => {
  it.scopedLive("are what a new server lacks, without a password, by an ordinary role", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make()
      const directory = yield* TempDir.make("globals")
      const copy = yield* TempDir.make("globals-copy")
      yield* server.query(
        `CREATE ROLE owner1 LOGIN PASSWORD 'hunter2-plain'; CREATE ROLE "Reader 2" CONNECTION LIMIT 3;
        GRANT "Reader 2" TO owner1; ALTER ROLE owner1 SET work_mem = '5MB'; ALTER ROLE holter CREATEDB;
        CREATE TABLE orders (id int); ALTER TABLE orders OWNER TO owner1; GRANT owner1 TO holter`
      )
      const on = (url: typeof server.url) => {
        const layer = Backup.layer({ app: "Bot", keep: 1, globals: true }).pipe(
          Layer.provide(BackupStore.layerDirectory({ path: directory, copies: [copy] })),
          Layer.provide(BackupStrategy.layerUrl(url)),
          Layer.provide(NodeContext.layer)
        )
        return <A, E>(use: (backup: typeof Backup.Backup.Service) => Effect.Effect<A, E>) =>
          Effect.provide(Effect.flatMap(Backup.Backup, use), layer)
      }
      const run = on(server.url)
      const { manifest, name } = yield* run((it) => it.create())
      const text = readFileSync(path.join(directory, Manifest.globalsOf(name)), "utf8")
      assert.strictEqual(readFileSync(path.join(copy, Manifest.globalsOf(name)), "utf8"), text)
      assert.strictEqual(manifest.globals?.bytes, Buffer.byteLength(text))
      for (const part of [
        "CREATE ROLE owner1;",
        'ALTER ROLE "Reader 2" WITH',
        "CONNECTION LIMIT 3",
        'GRANT "Reader 2" TO owner1',
        "ALTER ROLE owner1 SET work_mem TO '5MB'"
      ]) {
        assert.include(text, part)
      }
      assert.notMatch(text, /PASSWORD|hunter2|SCRAM|md5/)
      assert.isUndefined((yield* run((it) => it.verify()))[0]?.problem)
      yield* server.query("ALTER TABLE orders OWNER TO holter; DROP ROLE owner1")
      const refused = yield* Effect.flip(on(adminUrl(server))((it) => it.drill()))
      assert.include(refused.message, 'CREATE ROLE "owner1"')
      assert.include(refused.message, path.join(directory, Manifest.globalsOf(name)))
      yield* run((it) => it.create())
      assert.isFalse(existsSync(path.join(directory, Manifest.globalsOf(name))))
      assert.lengthOf(readdirSync(copy).filter(isGlobals), 1)
    })
  )
})
