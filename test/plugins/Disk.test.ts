import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { execFile, spawnSync } from "node:child_process"
import { mkdtempSync, rmdirSync } from "node:fs"
import { mkdir, mkdtemp, rmdir, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { Disk } from "../../src/plugins/Disk.js"
import * as DiskUsage from "../../src/plugins/Disk/DiskUsage.js"
import { mountOf, parseMountInfo } from "../../src/Common/MountInfo.js"
import * as TempDir from "../support/TempDir.js"
import { run, runOnly, services } from "./run.js"

const roomy: DiskUsage.Usage = {
  freeBytes: 112_400_000_000,
  totalBytes: 249_000_000_000,
  inodes: { free: 900, total: 1000 },
  readOnly: false,
  mount: { path: "/", type: "ext4" }
}

/** With figures instead of a disk. */
const judge = (usage: Partial<DiskUsage.Usage>, config: Parameters<typeof Disk.layer>[0] = {}) =>
  runOnly.pipe(
    Effect.provide(Layer.provideMerge(Disk.layer(config), services)),
    Effect.provideService(DiskUsage.DiskUsage, {
      read: () => Effect.succeed({ ...roomy, ...usage })
    })
  )

const share = (percent: number): Partial<DiskUsage.Usage> => ({
  freeBytes: percent * 1000,
  totalBytes: 100_000
})

describe("Disk, with given figures", () => {
  it.effect("says how much is free", () =>
    Effect.gen(function* () {
      const result = yield* judge({})
      assert.strictEqual(result.status, "healthy")
      assert.strictEqual(result.message, "Disk has 45 % free (112 GB)")
      assert.deepStrictEqual(result.details, {
        path: ".",
        free_bytes: 112_400_000_000,
        total_bytes: 249_000_000_000,
        free_percent: 45.14,
        inodes_free_percent: 90,
        read_only: false,
        mount: "/",
        file_system: "ext4"
      })
    })
  )

  for (const [name, usage, config, status, reason] of [
    ["10 % free", share(10), {}, "healthy", undefined],
    ["9.99 % free", share(9.99), {}, "degraded", undefined],
    ["1 % free", share(1), {}, "degraded", undefined],
    ["0.99 % free", share(0.99), {}, "unhealthy", "Full"],
    ["nothing free", share(0), {}, "unhealthy", "Full"],
    ["9 % free where 5 are enough", share(9), { warnPercent: 5 }, "healthy", undefined],
    ["less than the floor", share(50), { minFreeBytes: 50_001 }, "unhealthy", "Full"],
    ["the floor", share(50), { minFreeBytes: 50_000 }, "healthy", undefined],
    ["few inodes", { inodes: { free: 5, total: 100 } }, {}, "degraded", undefined],
    ["no inodes", { inodes: { free: 0, total: 100 } }, {}, "unhealthy", "OutOfInodes"],
    ["no count of inodes (btrfs)", { inodes: undefined }, {}, "healthy", undefined],
    ["read-only", { readOnly: true }, {}, "degraded", undefined],
    [
      "read-only, must be writable",
      { readOnly: true },
      { writable: true },
      "unhealthy",
      "ReadOnly"
    ],
    [
      "a read-only image",
      { readOnly: true, ...share(0) },
      { writable: false },
      "healthy",
      undefined
    ],
    ["writable as it must be", {}, { writable: true }, "healthy", undefined]
  ] as const) {
    it.effect(`${name}: ${status}`, () =>
      Effect.gen(function* () {
        const result = yield* judge(usage, config)
        assert.strictEqual(result.status, status)
        assert.strictEqual(result.reason, reason)
        assert.strictEqual(result.details.mount, "/", "a failure keeps its details")
      })
    )
  }

  it.effect("never rounds up to the limit that it missed", () =>
    Effect.gen(function* () {
      const result = yield* judge(share(0.999))
      assert.include(result.message, "0.9 % free (999 B), at least 1 % expected")
    })
  )
})

describe("Disk, on this machine", () => {
  it.scopedLive("agrees with df", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("disk")
      const result = yield* run(Disk, { path: folder, warnPercent: 0, minFreePercent: 0 })
      const df = spawnSync("df", ["-P", "-k", folder], { encoding: "utf8" }).stdout
      const [, , used, available, , mount] = (df.split("\n")[1] ?? "").split(/\s+/)
      assert.strictEqual(result.status, "healthy")
      assert.strictEqual(result.details.mount, mount)
      const near = (figure: unknown, kilobytes: number) =>
        assert.approximately(Number(figure) / 1024, kilobytes, 200_000)
      near(result.details.free_bytes, Number(available))
      near(result.details.total_bytes, Number(used) + Number(available))
    })
  )

  it.scopedLive("tells a path that does not exist", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("disk")
      const result = yield* run(Disk, { path: path.join(folder, "none") })
      assert.strictEqual(result.reason, "NotFound")
      assert.include(result.message, "none")
    })
  )

  it.scopedLive("asks once while an answer is outstanding", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("disk")
      const disk = yield* Effect.provide(DiskUsage.DiskUsage, DiskUsage.layer)
      const [first, second] = yield* Effect.all([disk.read(folder), disk.read(folder)], {
        concurrency: 2
      })
      assert.strictEqual(first, second)
      assert.notStrictEqual(yield* disk.read(folder), first)
    })
  )
})

/** A tmpfs at a folder of its own, unmounted with the scope. Only root may. */
const tmpfs = (options: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const folder = await mkdtemp(path.join(tmpdir(), "holter disk-"))
      await command("mount", "-t", "tmpfs", "-o", options, "holter-test", folder)
      return folder
    }),
    (folder) =>
      Effect.promise(async () => {
        await command("umount", folder)
        await rmdir(folder)
      })
  )

const command = (file: string, ...args: ReadonlyArray<string>) =>
  new Promise<void>((resolve, reject) => {
    execFile(file, args, (error) => (error === null ? resolve() : reject(new Error(error.message))))
  })

const mountIsPermitted = (): boolean => {
  const folder = mkdtempSync(path.join(tmpdir(), "holter-mount-"))
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=4k", "holter-test", folder])
  if (mounted.status === 0) spawnSync("umount", [folder])
  rmdirSync(folder)
  return mounted.status === 0
}

if (mountIsPermitted()) {
  describe("Disk, on a file system mounted for the test", () => {
    it.scopedLive("fills up: healthy, degraded, unhealthy", () =>
      Effect.gen(function* () {
        const folder = yield* tmpfs("size=1m")
        const ask = run(Disk, { path: folder })
        const fill = (name: string, kilobytes: number) =>
          Effect.promise(() => writeFile(path.join(folder, name), Buffer.alloc(kilobytes * 1024)))
        const empty = yield* ask
        assert.strictEqual(empty.status, "healthy")
        assert.strictEqual(empty.message, "Disk has 100 % free (1 MB)")
        assert.strictEqual(empty.details.mount, folder)
        assert.strictEqual(empty.details.file_system, "tmpfs")
        yield* fill("most", 960)
        assert.strictEqual((yield* ask).status, "degraded")
        yield* fill("rest", 60)
        const full = yield* ask
        assert.strictEqual(full.reason, "Full")
        assert.strictEqual(full.details.free_bytes, 4096)
      })
    )

    it.scopedLive("runs out of inodes", () =>
      Effect.gen(function* () {
        const folder = yield* tmpfs("size=1m,nr_inodes=4")
        const ask = run(Disk, { path: folder })
        assert.strictEqual((yield* ask).status, "healthy")
        yield* Effect.promise(async () => {
          for (const name of ["a", "b", "c"]) await mkdir(path.join(folder, name))
        })
        assert.strictEqual((yield* ask).reason, "OutOfInodes")
      })
    )

    it.scopedLive("sees that it is read-only, also through a symbolic link", () =>
      Effect.gen(function* () {
        const folder = yield* tmpfs("size=1m,ro")
        const outside = yield* TempDir.make("disk")
        const link = path.join(outside, "link")
        yield* Effect.promise(() => symlink(folder, link))
        for (const at of [folder, link]) {
          const ask = (config: object) => run(Disk, { path: at, ...config })
          assert.strictEqual((yield* ask({})).status, "degraded")
          const required = yield* ask({ writable: true })
          assert.strictEqual(required.reason, "ReadOnly")
          assert.include(required.message, `tmpfs at ${folder}`)
          assert.strictEqual((yield* ask({ writable: false })).status, "healthy")
        }
      })
    )
  })
} else {
  it.effect("Disk: mounting is not permitted here, so only given figures show a full disk", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* judge(share(0))).reason, "Full")
    })
  )
}

describe("MountInfo", () => {
  const mounts = parseMountInfo(
    [
      "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard",
      "30 27 0:40 / /data rw,relatime shared:5 master:2 - ext4 /dev/vdb ro,errors=remount-ro",
      "31 27 0:41 / /mnt/with\\040space ro,nosuid - tmpfs none rw",
      "32 27 0:42 / /data rw - xfs /dev/vdc rw",
      "a line of another kind"
    ].join("\n")
  )

  it("takes the longest path, and of two at one place the later", () => {
    assert.strictEqual(mountOf(mounts, "/data/db")?.type, "xfs")
    assert.strictEqual(mountOf(mounts, "/database")?.path, "/")
    assert.strictEqual(mountOf(mounts, "/mnt/with space")?.readOnly, true)
    assert.strictEqual(mountOf([], "/"), undefined)
  })

  it("knows what the kernel made read-only after errors", () => {
    assert.strictEqual(mounts[1]?.readOnly, true)
    assert.strictEqual(mounts[3]?.readOnly, false)
  })
})
