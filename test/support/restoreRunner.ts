/**
 * Restores a PostgreSQL backup in a process of its own, which stops at a stage and says so: to be
 * killed there. `node --import <loader> restoreRunner.ts <url> <payload as JSON> <stage>`.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Postgres from "../../src/Backup/BackupStrategy/Postgres.js"
import type { Payload } from "../../src/Backup/BackupStrategy/Strategy.js"
import * as DatabaseUrl from "../../src/Common/DatabaseUrl.js"

const [url = "", payload = "", stage = ""] = process.argv.slice(2)

const main = Effect.gen(function* () {
  const parsed = Either.getOrThrow(DatabaseUrl.parse(url))
  if (parsed._tag !== "Postgres") return yield* Effect.dieMessage("no URL of PostgreSQL")
  const strategy = yield* Postgres.make(parsed)
  yield* strategy.restore(JSON.parse(payload) as Payload, {
    startedAt: yield* DateTime.now,
    replaceDamaged: false,
    onProgress: (progress) =>
      // The last report of a stage: everything before the next one is done.
      progress.stage === stage && (stage !== "compare" || progress.bytes > 0)
        ? Effect.zipRight(
            Effect.sync(() => process.stdout.write("held\n")),
            Effect.never
          )
        : Effect.void
  })
  process.stdout.write("done\n")
})

NodeRuntime.runMain(Effect.provide(main, NodeContext.layer))
