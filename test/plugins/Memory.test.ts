import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { mkdir, writeFile } from "node:fs/promises"
import { totalmem } from "node:os"
import * as path from "node:path"
import { getHeapStatistics } from "node:v8"
import { Memory } from "../../src/plugins/Memory.js"
import * as Cgroup from "../../src/plugins/Memory/Cgroup.js"
import * as ProcessMemory from "../../src/plugins/Memory/ProcessMemory.js"
import * as TempDir from "../support/TempDir.js"
import { run, runOnly, services } from "./run.js"

const calm: ProcessMemory.Figures = {
  heapUsedBytes: 200_000_000,
  heapLimitBytes: 2_000_000_000,
  rssBytes: 300_000_000,
  limitBytes: 1_000_000_000,
  limitFrom: "cgroup"
}

const judge = (
  figures: Partial<ProcessMemory.Figures>,
  config: Parameters<typeof Memory.layer>[0] = {}
) =>
  runOnly.pipe(
    Effect.provide(Layer.provideMerge(Memory.layer(config), services)),
    Effect.provideService(ProcessMemory.ProcessMemory, {
      read: Effect.succeed({ ...calm, ...figures })
    })
  )

describe("Memory, with given figures", () => {
  it.effect("says how much is used, of what", () =>
    Effect.gen(function* () {
      const result = yield* judge({})
      assert.strictEqual(result.status, "healthy")
      assert.strictEqual(
        result.message,
        "Memory use is 300 MB, 30 % of the 1 GB allowed by the cgroup; the heap 10 % of 2 GB"
      )
      assert.deepStrictEqual(result.details, {
        heap_used_bytes: 200_000_000,
        heap_limit_bytes: 2_000_000_000,
        heap_used_percent: 10,
        rss_bytes: 300_000_000,
        limit_bytes: 1_000_000_000,
        limit_from: "cgroup",
        rss_percent: 30
      })
    })
  )

  for (const [name, figures, status, reason] of [
    ["heap at 84.9 %", { heapUsedBytes: 1_698_000_000 }, "healthy", undefined],
    ["heap at 85 %", { heapUsedBytes: 1_700_000_000 }, "degraded", undefined],
    ["heap at 95 %", { heapUsedBytes: 1_900_000_000 }, "unhealthy", "HeapNearLimit"],
    ["process at 85 %", { rssBytes: 850_000_000 }, "degraded", undefined],
    ["process at 95 %", { rssBytes: 950_000_000 }, "unhealthy", "ResidentNearLimit"]
  ] as const) {
    it.effect(`${name}: ${status}`, () =>
      Effect.gen(function* () {
        const result = yield* judge(figures)
        assert.strictEqual(result.status, status)
        assert.strictEqual(result.reason, reason)
        assert.property(result.details, "rss_percent", "a failure keeps its details")
      })
    )
  }

  it.effect("takes other thresholds", () =>
    Effect.gen(function* () {
      const config = { warnPercent: 20, criticalPercent: 29 }
      assert.strictEqual((yield* judge({}, config)).reason, "ResidentNearLimit")
    })
  )

  it("belongs to liveness", () => {
    assert.strictEqual(Memory.policy.group, "liveness")
  })
})

describe("Memory, of this process", () => {
  it.live("reads the heap and the resident set", () =>
    Effect.gen(function* () {
      const { details } = yield* run(Memory, {})
      assert.strictEqual(details.heap_limit_bytes, getHeapStatistics().heap_size_limit)
      assert.isAbove(Number(details.heap_used_bytes), 1_000_000)
      assert.isAbove(Number(details.rss_bytes), Number(details.heap_used_bytes) / 2)
      assert.isAtMost(Number(details.limit_bytes), totalmem())
    })
  )
})

/** Files as Linux would have them. */
const cgroup = (groups: string, files: Record<string, string>) =>
  Effect.gen(function* () {
    const root = yield* TempDir.make("cgroup")
    const write = (name: string, content: string) =>
      Effect.promise(async () => {
        await mkdir(path.dirname(path.join(root, name)), { recursive: true })
        await writeFile(path.join(root, name), content)
      })
    yield* write("self", groups)
    yield* Effect.forEach(Object.entries(files), ([name, content]) => write(name, `${content}\n`))
    return yield* Cgroup.limit({ groups: path.join(root, "self"), root })
  })

describe("Cgroup", () => {
  for (const [name, groups, files, expected] of [
    ["version 2", "0::/app", { "app/memory.max": "5000" }, 5000],
    [
      "the lowest on the way up",
      "0::/a/b/c",
      { "a/memory.max": "900", "a/b/memory.max": "max", "a/b/c/memory.max": "5000" },
      900
    ],
    ["a container, whose group is the root", "0::/", { "memory.max": "700" }, 700],
    ["a path that is the host's", "0::/../../docker/x", { "memory.max": "700" }, 700],
    ["version 2 without a limit", "0::/app", { "app/memory.max": "max" }, undefined],
    [
      "version 1",
      "9:name=systemd:/\n4:memory:/docker/x\n0::/",
      { "memory/docker/x/memory.limit_in_bytes": "800", "memory/memory.limit_in_bytes": "9000" },
      800
    ],
    [
      "version 1 with controllers together",
      "4:cpu,memory:/x",
      { "memory/x/memory.limit_in_bytes": "800" },
      800
    ],
    ["no control groups", "", {}, undefined]
  ] as const) {
    it.scopedLive(`${name}: ${expected ?? "no limit"}`, () =>
      Effect.gen(function* () {
        assert.strictEqual(yield* cgroup(groups, files), expected)
      })
    )
  }

  it.live("reads this machine's without failing", () =>
    Effect.gen(function* () {
      const limit = yield* Cgroup.limit(Cgroup.linux)
      assert.isTrue(limit === undefined || limit > 0)
    })
  )
})
