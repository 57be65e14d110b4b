import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "effect/FastCheck"
import * as path from "node:path"
import { freeOf } from "../../src/Backup/BackupStrategy/Sqlite/child/Space.js"
import * as LocalFiles from "../../src/Backup/LocalFiles.js"
import { spaceOf, spaceOfDf } from "../../src/Common/DiskBlocks.js"
import { Disk } from "../../src/plugins/Disk.js"
import * as DiskSpace from "../../src/System/DiskSpace.js"
import { run } from "../plugins/run.js"
import * as Fuse from "../support/Fuse.js"
import * as TempDir from "../support/TempDir.js"

const ext4 = { type: 0xef53, bsize: 4096, blocks: 1000, bfree: 300, bavail: 200 }
const fuse = { ...ext4, type: 0x65735546, bsize: 1024 * 1024 }

describe("The figures of statfs", () => {
  it("are in blocks of frsize where Node tells it", () => {
    const told = { freeBytes: 200 * 4096, totalBytes: 900 * 4096 }
    assert.deepStrictEqual(spaceOf({ ...fuse, frsize: 4096 }), told)
    assert.deepStrictEqual(spaceOf({ ...ext4, bsize: 1024 * 1024, frsize: 4096 }), told)
  })

  it("are in blocks of bsize where that is the same, and of an unknown size on FUSE", () => {
    assert.deepStrictEqual(spaceOf(ext4), { freeBytes: 200 * 4096, totalBytes: 900 * 4096 })
    assert.isUndefined(spaceOf(fuse))
    assert.isUndefined(spaceOf({ ...fuse, frsize: 0 }))
  })

  it("never say that more is free than there is", () => {
    const count = fc.nat(2 ** 40)
    fc.assert(
      fc.property(
        count,
        count,
        count,
        fc.integer({ min: 1, max: 20 }),
        (used, free, extra, unit) => {
          const figures = {
            ...ext4,
            blocks: used + free + extra,
            bfree: free + extra,
            bavail: free
          }
          const space = spaceOf({ ...figures, frsize: 2 ** unit })
          return space !== undefined && space.freeBytes <= space.totalBytes
        }
      )
    )
  })
})

describe("What df says", () => {
  const head = "Filesystem     1024-blocks    Used Available Capacity Mounted on\n"
  for (const [line, freeBytes, totalBytes] of [
    ["/dev/sda1 100 60 30 67% /", 30, 90],
    ["nas:my share 2 3 4% 100 60 30 67% /mnt/my share", 30, 90],
    ["overfull 100 101 -1 101% /x", 0, 101],
    ["none 0 0 0 - /sys", 0, 0]
  ] as const) {
    it(line, () => {
      const space = { freeBytes: freeBytes * 1024, totalBytes: totalBytes * 1024 }
      assert.deepStrictEqual(spaceOfDf(`${head}${line}\n`), space)
    })
  }

  it("is nothing where it is something else", () => {
    for (const text of ["", head, "df: /x: No such file"]) assert.isUndefined(spaceOfDf(text))
  })
})

describe("A path", () => {
  it.scopedLive("that is not there is rejected as statfs does", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("space")
      const error = yield* Effect.flip(
        Effect.tryPromise(() => DiskSpace.look(path.join(folder, "none")))
      )
      assert.strictEqual((error.cause as NodeJS.ErrnoException).code, "ENOENT")
    })
  )
})

if (Fuse.isPermitted()) {
  describe("A file system of FUSE that likes to be read by the megabyte", () => {
    it.scopedLive(
      "is judged by its own blocks: by backups, by a restore of SQLite, by the check",
      () =>
        Effect.gen(function* () {
          const folder = path.join(yield* TempDir.make("fuse"), "a disk")
          yield* Fuse.make(folder, { bsize: 1024 * 1024, frsize: 4096, blocks: 1000, free: 5 })
          const free = 5 * 4096
          const { space, stats } = yield* Effect.promise(() => DiskSpace.look(folder))
          assert.strictEqual(stats.bsize, 1024 * 1024)
          assert.deepStrictEqual(space, { freeBytes: free, totalBytes: 1000 * 4096 })
          assert.strictEqual(yield* LocalFiles.free(folder), free)
          assert.strictEqual(freeOf(folder), free)
          const { details, reason } = yield* run(Disk, { path: folder })
          assert.strictEqual(reason, "Full")
          assert.strictEqual(details.free_bytes, free)
        })
    )
  })
}
