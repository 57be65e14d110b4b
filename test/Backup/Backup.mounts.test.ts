/** SQLite databases at one path that are different files, and one file at two paths. */
import { assert, describe, it } from "@effect/vitest"
import Sqlite from "better-sqlite3"
import { Effect } from "effect"
import { mkdirSync, readdirSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as FileIdentity from "../../src/Backup/BackupStrategy/Sqlite/FileIdentity.js"
import { mountOf, parseMountInfo } from "../../src/Common/MountInfo.js"
import * as Runner from "../support/backup/Runner.js"
import * as TempDir from "../support/TempDir.js"
import * as Tmpfs from "../support/Tmpfs.js"

const inNamespace = (script: string, ...args: ReadonlyArray<string>) => [
  "unshare",
  "--mount",
  "--propagation",
  "private",
  "sh",
  "-c",
  `set -e; ${script}; shift ${args.length}; exec "$@"`,
  "sh",
  ...args
]

const bench = Effect.gen(function* () {
  const folder = yield* TempDir.make("mounts")
  const runner = yield* Runner.make
  const data = path.join(folder, "data")
  const directory = path.join(folder, "backups")
  mkdirSync(data)
  for (const volume of ["a", "b"]) {
    mkdirSync(path.join(folder, volume))
    const database = new Sqlite(path.join(folder, volume, "bot.db"))
    database.exec(`CREATE TABLE volume (name TEXT); INSERT INTO volume VALUES ('${volume}')`)
    database.close()
  }
  const order = {
    work: "create" as const,
    database: path.join(data, "bot.db"),
    directory,
    sqliteFrom: import.meta.url,
    keep: 1
  }
  const create = (script: string, ...args: ReadonlyArray<string>) =>
    Effect.map(runner.run(order, inNamespace(script, ...args)), (report) => {
      assert.deepStrictEqual([report?.reason, report?.defect], [undefined, undefined])
      return backupsIn(directory).at(-1) ?? ""
    })
  return { folder, data, directory, create }
})

const backupsIn = (directory: string) =>
  readdirSync(directory)
    .filter((name) => name.endsWith(".db.gz"))
    .toSorted()

if (Tmpfs.isPermitted()) {
  describe("Containers with a volume each", () => {
    it.scopedLive(
      "keep each other's backups, and rotate their own after a restart as well",
      () =>
        Effect.gen(function* () {
          const { create, data, directory, folder } = yield* bench
          const inVolume = (volume: string) =>
            create('mount --bind "$1" "$2"', path.join(folder, volume), data)
          const kept = yield* inVolume("a")
          for (let round = 0; round < 2; round++) yield* inVolume("b")
          assert.include(backupsIn(directory), kept)
          assert.lengthOf(backupsIn(directory), 2)
          const boot = path.join(folder, "boot")
          writeFileSync(boot, "00000000-0000-4000-8000-000000000000\n")
          const restart =
            'mount --bind "$1" "$2"; mount --bind "$3" /proc/sys/kernel/random/boot_id'
          yield* create(restart, path.join(folder, "a"), data, boot)
          assert.notInclude(backupsIn(directory), kept)
          assert.lengthOf(backupsIn(directory), 2)
        }),
      120_000
    )

    it.scopedLive(
      "keep each other's backups where the next one gets the number of the last",
      () =>
        Effect.gen(function* () {
          const { create, data, directory, folder } = yield* bench
          const inMemory = (volume: string) =>
            create(
              'mount -t tmpfs none "$2"; cp "$1" "$2"',
              path.join(folder, volume, "bot.db"),
              data
            )
          const kept = yield* inMemory("a")
          for (let round = 0; round < 2; round++) yield* inMemory("b")
          assert.include(backupsIn(directory), kept)
        }),
      120_000
    )
  })
}

describe("The identity of a file", () => {
  it.scopedLive("is that of its directory on this machine, and the same at each look", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("identity")
      const file = path.join(folder, "bot.db")
      const found = yield* FileIdentity.read(file)
      assert.isDefined(found?.file?.device)
      assert.deepStrictEqual(yield* FileIdentity.read(file), found)
      assert.isUndefined(yield* FileIdentity.read(path.join(folder, "none", "bot.db")))
    })
  )

  it("is the path in its file system, and what names that among all", () => {
    const upper = "upperdir=/var/lib/docker/overlay2/7f/diff"
    const mounts = parseMountInfo(
      [
        `27 1 0:40 / / rw - overlay overlay rw,lowerdir=/l1:/l2,${upper},workdir=/w`,
        "28 27 8:1 /var/lib/docker/volumes/a/_data /data rw - ext4 /dev/sda1 rw",
        "29 27 8:1 /home/ann/bot.db /one/bot.db rw - ext4 /dev/sda1 rw",
        "30 27 0:51 / /share rw - nfs4 nas:/export rw",
        "31 27 0:52 / /memory rw - tmpfs /dev/shm rw",
        "32 27 0:53 / /pool rw - zfs tank/bot rw"
      ].join("\n")
    )
    const told = (file: string) => {
      const mount = mountOf(mounts, file)
      return mount === undefined
        ? []
        : [FileIdentity.within(mount, file), FileIdentity.sourceOf(mount)]
    }
    assert.deepStrictEqual(told("/app/bot.db"), ["/app/bot.db", upper])
    assert.deepStrictEqual(told("/data/x/bot.db"), [
      "/var/lib/docker/volumes/a/_data/x/bot.db",
      "/dev/sda1"
    ])
    assert.deepStrictEqual(told("/one/bot.db"), ["/home/ann/bot.db", "/dev/sda1"])
    assert.deepStrictEqual(told("/share/bot.db"), ["/bot.db", "nas:/export"])
    assert.deepStrictEqual(told("/memory/bot.db"), ["/bot.db", undefined])
    assert.deepStrictEqual(told("/pool/bot.db"), ["/bot.db", "tank/bot"])
  })
})
