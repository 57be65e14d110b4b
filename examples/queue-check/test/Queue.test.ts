import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { CheckRegistry, CheckRunner, HealthMonitor } from "holter"
import { Queue } from "../src/Queue.js"

const spool = Effect.acquireRelease(
  Effect.promise(() => mkdtemp(join(tmpdir(), "queue-"))),
  (directory) => Effect.promise(() => rm(directory, { recursive: true }))
)

const runOnce = (directory: string) =>
  Effect.flatMap(HealthMonitor.HealthMonitor, (monitor) => monitor.runCheck("queue")).pipe(
    Effect.provide(
      HealthMonitor.layer.pipe(
        Layer.provide(Queue.layer({ directory, busy: 1, overfull: 2 })),
        Layer.provide(
          Layer.mergeAll(CheckRegistry.layer, CheckRunner.layer(), NodeFileSystem.layer)
        )
      )
    )
  )

describe("a check of another package", () => {
  it.scoped("counts what waits", () =>
    Effect.gen(function* () {
      const directory = yield* spool
      const add = (name: string) => Effect.promise(() => writeFile(join(directory, name), ""))
      assert.strictEqual((yield* runOnce(directory)).status, "healthy")
      yield* add("1")
      assert.strictEqual((yield* runOnce(directory)).status, "degraded")
      yield* add("2")
      const overfull = yield* runOnce(directory)
      assert.strictEqual(overfull.status, "unhealthy")
      assert.deepStrictEqual(overfull.details, { waiting: 2 })
    })
  )

  it.scoped("says that it cannot read", () =>
    Effect.gen(function* () {
      const directory = join(yield* spool, "missing")
      const result = yield* runOnce(directory)
      assert.strictEqual(result.reason, "Unreadable")
      assert.include(result.message, directory)
    })
  )
})
