/** A backup without a manifest, whose content nobody knows the size of. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { statSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { gzipSync } from "node:zlib"
import { extract } from "../../../src/Backup/BackupStrategy/Sqlite/child/Extract.js"
import { Fault } from "../../../src/Backup/BackupStrategy/Sqlite/child/Fault.js"
import * as TempDir from "../../support/TempDir.js"
import * as Tmpfs from "../../support/Tmpfs.js"

const megabyte = 1024 * 1024

/** The head of a database of so many pages of 4 kB; 0 where it does not tell, as of an old SQLite. */
const header = (pages: number): Buffer => {
  const head = Buffer.alloc(100)
  head.write("SQLite format 3\0")
  head.writeUInt16BE(4096, 16)
  head.writeUInt32BE(1, 24)
  head.writeUInt32BE(pages, 28)
  head.writeUInt32BE(pages === 0 ? 0 : 1, 92)
  return head
}

if (Tmpfs.isPermitted()) {
  it.scopedLive("A .gz without a manifest never fills the disk that it is unpacked on", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("bomb")
      const disk = path.join(folder, "disk")
      yield* Tmpfs.make(disk, "size=8m")
      const bomb = Buffer.alloc(64 * megabyte)
      for (const [name, head, reason, words, most] of [
        ["promised", header(16384), "DiskFull", "expected 67 MB or more for a backup", 0],
        [
          "untold",
          header(0),
          "DiskFull",
          "or more for a backup without a manifest",
          7.6 * megabyte
        ],
        ["no database", Buffer.from("x"), "Corrupt", "expected a SQLite database", 0]
      ] as const) {
        const file = path.join(folder, `${name}.db.gz`)
        writeFileSync(file, gzipSync(Buffer.concat([head, bomb])))
        const target = path.join(disk, "content")
        writeFileSync(target, "")
        const payload = { path: file, compression: "gzip", expected: undefined } as never
        const fault = yield* Effect.flip(
          Effect.tryPromise({
            try: () => extract({ payload, target, onBytes: () => undefined }),
            catch: (cause) => cause as Fault
          })
        )
        assert.instanceOf(fault, Fault)
        const { expected, found, reason: why } = fault.report
        assert.strictEqual(why, reason, name)
        assert.include(`expected ${expected}, found ${found}`, words)
        assert.isAtMost(statSync(target).size, most, name)
      }
    })
  )
}
