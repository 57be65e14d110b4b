/**
 * A process that does one piece of work on backups and meets a fault: at a step, or at one of its
 * calls to the file system, counted. Prints one line of JSON in the end, if it gets there.
 */
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Cause, Console, Effect, Exit, Layer } from "effect"
import promises from "node:fs/promises"
import { syncBuiltinESMExports } from "node:module"
import * as Backup from "../../../src/Backup/Backup.js"
import { BackupError } from "../../../src/Backup/BackupError.js"
import { BeforeStep } from "../../../src/Backup/BackupStep.js"
import * as BackupStore from "../../../src/Backup/BackupStore.js"
import * as Sqlite from "../../../src/Backup/BackupStrategy/Sqlite.js"
import { ChildProgram } from "../../../src/Backup/BackupStrategy/Sqlite/ChildProgram.js"
import { text } from "../../../src/Backup/BackupStrategy/Sqlite/child/text.js"
import { BackupStrategy } from "../../../src/Backup/BackupStrategy/Strategy.js"
import * as Scripted from "./scripted.js"

export type Work = "create" | "restore" | "prune"

export interface Order {
  readonly work: Work
  readonly database: string
  readonly directory: string
  readonly copies?: ReadonlyArray<string>
  /** The backup to restore; the latest without it. */
  readonly file?: string
  readonly parts?: boolean
  /** How many stay. */
  readonly keep?: number
  /** A file that finds better-sqlite3, where the database is one of SQLite; else it is a scripted one. */
  readonly sqliteFrom?: string
  /** Where to stop: a step, or the number of a call to the file system. */
  readonly at?: string | number
  /** `hold`: prints `holding` and waits. The rest are errors of the file system. */
  readonly fault?: "SIGKILL" | "hold" | "EIO" | "ENOSPC"
}

export interface Report {
  readonly calls: number
  readonly reason: string | undefined
  readonly defect: string | undefined
}

const order = JSON.parse(process.argv[2] ?? "{}") as Order
let calls = 0

/** Every function of node:fs/promises that takes a path counts. */
const countCalls = () => {
  const functions = promises as unknown as Record<string, unknown>
  for (const [name, value] of Object.entries(functions)) {
    if (typeof value !== "function" || name === "constants") continue
    const original = value as (...args: ReadonlyArray<unknown>) => Promise<unknown>
    functions[name] = (...args: ReadonlyArray<unknown>) => {
      // What /proc tells is not on the disk.
      if (!String(args[0]).startsWith("/proc/")) {
        calls++
        if (calls === order.at) {
          if (order.fault === "SIGKILL") process.kill(process.pid, "SIGKILL")
          return Promise.reject(
            Object.assign(new Error(`${order.fault}: ${name} ${String(args[0])}`), {
              code: order.fault
            })
          )
        }
      }
      return original(...args)
    }
  }
  syncBuiltinESMExports()
}

const atStep = (step: string) =>
  Effect.suspend(() => {
    if (step !== order.at) return Effect.void
    if (order.fault === "hold") return Effect.zipRight(Console.log("holding"), Effect.never)
    if (order.fault === "SIGKILL") process.kill(process.pid, "SIGKILL")
    return Effect.fail(
      new BackupError({
        reason: order.fault === "ENOSPC" ? "DiskFull" : "StoreFailed",
        subject: step,
        expected: "no fault",
        found: String(order.fault)
      })
    )
  })

const work = Effect.gen(function* () {
  const backup = yield* Backup.Backup
  switch (order.work) {
    case "create":
      return yield* backup.create()
    case "restore":
      return yield* backup.restore(
        order.file === undefined ? { _tag: "Latest" } : { _tag: "File", file: order.file }
      )
    case "prune":
      return yield* backup.prune()
  }
})

/** So that there is something to prune after a backup was made with 2. */
const keep = order.keep ?? (order.work === "prune" ? 1 : 2)

const layers = Backup.layer({ app: "Bot", keep, lockPatience: 0 }).pipe(
  Layer.provide(BackupStore.layerDirectory({ path: order.directory, copies: order.copies ?? [] })),
  Layer.provide(
    order.sqliteFrom === undefined
      ? Layer.sync(BackupStrategy, () =>
          Scripted.make({ file: order.database, directory: order.parts === true })
        )
      : Sqlite.layer({ _tag: "Sqlite", path: order.database }).pipe(
          Layer.provide(NodeContext.layer),
          Layer.provide(Layer.succeed(ChildProgram, { text, from: [order.sqliteFrom] }))
        )
  )
)

countCalls()
NodeRuntime.runMain(
  work.pipe(
    Effect.provide(layers),
    Effect.provideService(BeforeStep, atStep),
    Effect.exit,
    Effect.flatMap((exit) =>
      Console.log(
        JSON.stringify({
          calls,
          reason: Exit.isFailure(exit) ? reasonOf(exit.cause) : undefined,
          defect: Exit.isFailure(exit) ? defectOf(exit.cause) : undefined
        } satisfies Report)
      )
    )
  )
)

const reasonOf = (cause: Cause.Cause<BackupError>): string | undefined => {
  const failure = Cause.failureOption(cause)
  return failure._tag === "Some" ? failure.value.reason : undefined
}

const defectOf = (cause: Cause.Cause<BackupError>): string | undefined =>
  Cause.failureOption(cause)._tag === "None" ? Cause.pretty(cause) : undefined
