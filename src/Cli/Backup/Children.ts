/**
 * The tools of PostgreSQL as processes that end with this one, also where it ends by force: a
 * `pg_dump` that nobody reads any more would go on, or wait for a lock for ever.
 */
import { CommandExecutor, makeExecutor } from "@effect/platform/CommandExecutor"
import * as NodeCommandExecutor from "@effect/platform-node/NodeCommandExecutor"
import type { FileSystem } from "@effect/platform/FileSystem"
import { Effect, Either, Layer } from "effect"

export const layer: Layer.Layer<CommandExecutor, never, FileSystem> = Layer.scoped(
  CommandExecutor,
  Effect.gen(function* () {
    const { start } = yield* CommandExecutor
    const running = new Set<number>()
    const killAll = () => {
      // Each leads a group of its own, with whatever it has started.
      for (const pid of running) Either.try(() => process.kill(-pid, "SIGKILL"))
    }
    yield* Effect.acquireRelease(
      Effect.sync(() => process.once("exit", killAll)),
      () => Effect.sync(() => process.off("exit", killAll))
    )
    return makeExecutor((command) =>
      Effect.gen(function* () {
        const child = yield* start(command)
        const pid = Number(child.pid)
        yield* Effect.acquireRelease(
          Effect.sync(() => running.add(pid)),
          () => Effect.sync(() => running.delete(pid))
        )
        return child
      })
    )
  })
).pipe(Layer.provide(NodeCommandExecutor.layer))
