/** Backups of a scripted database in real directories, at noon of a virtual day. */
import { type Context, DateTime, Effect, Layer, TestClock } from "effect"
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as Backup from "../../src/Backup/Backup.js"
import { BackupError } from "../../src/Backup/BackupError.js"
import { BeforeStep, type BackupStep } from "../../src/Backup/BackupStep.js"
import * as BackupStore from "../../src/Backup/BackupStore.js"
import * as Directory from "../../src/Backup/BackupStore/Directory.js"
import * as Store from "../../src/Backup/Store.js"
import { BackupStrategy, type Strategy } from "../../src/Backup/BackupStrategy/Strategy.js"
import * as Scripted from "../support/backup/scripted.js"
import * as TempDir from "../support/TempDir.js"

/** A store in a directory. */
export const storeIn = (options: Directory.Options) =>
  Effect.flatMap(Directory.make(options), (objects) =>
    Store.make({ objects, staging: objects.place })
  )

type Service = Context.Tag.Service<Backup.Backup>

const noon = "2026-11-26T12:00:00Z"

export interface Given {
  readonly options?: Partial<Backup.Options>
  readonly copies?: number
  readonly strategy?: (strategy: Strategy) => Strategy
  readonly scripted?: Partial<Scripted.Options>
  /** Of the directory. */
  readonly mounted?: boolean
  readonly host?: string
}

export const make = (given: Given = {}) =>
  Effect.gen(function* () {
    yield* TestClock.setTime(DateTime.unsafeMake(noon))
    const folder = yield* TempDir.make("backup")
    const database = path.join(folder, "bot.json")
    const directory = path.join(folder, "backups")
    const copies = Array.from({ length: given.copies ?? 0 }, (_, index) => {
      const copy = path.join(folder, `copy-${index}`)
      mkdirSync(copy, { mode: 0o700 })
      return copy
    })
    const steps: Array<BackupStep> = []
    const faults = new Map<BackupStep, Effect.Effect<void, BackupError>>()
    const layerOf = (
      changes: Given,
      stores?: Context.Tag.Service<BackupStore.BackupStore>
    ): Layer.Layer<Backup.Backup> => {
      const strategy = Scripted.make({ file: database, ...changes.scripted })
      return Backup.layer({ app: "Bot", keep: 3, ...changes.options }).pipe(
        Layer.provide(
          stores === undefined
            ? BackupStore.layerDirectory({
                path: directory,
                copies,
                mounted: changes.mounted,
                host: changes.host ?? "web1"
              })
            : Layer.succeed(BackupStore.BackupStore, stores)
        ),
        Layer.provide(Layer.succeed(BackupStrategy, changes.strategy?.(strategy) ?? strategy))
      )
    }
    const before = (step: BackupStep) =>
      Effect.suspend(() => {
        steps.push(step)
        return faults.get(step) ?? Effect.void
      })
    /** As another program would be configured. */
    const as =
      (changes: Given) =>
      <A, E>(use: (backup: Service) => Effect.Effect<A, E>): Effect.Effect<A, E> =>
        Effect.flatMap(Backup.Backup, use).pipe(
          Effect.provide(layerOf({ ...given, ...changes })),
          Effect.provideService(BeforeStep, before)
        )
    yield* Scripted.write(database, { users: ["ann", "bob"], orders: ["1"] })
    return {
      folder,
      database,
      directory,
      copies,
      steps,
      as,
      layerOf,
      run: as({}),
      failAt: (step: BackupStep) =>
        faults.set(
          step,
          new BackupError({ reason: "StoreFailed", subject: step, expected: "none", found: "it" })
        ),
      /** Another machine takes the lock over, thinking that this one is dead. */
      loseLockAt: (step: BackupStep) =>
        faults.set(
          step,
          Effect.sync(() => {
            const lock = path.join(directory, ".holter-lock-1")
            writeFileSync(lock, readFileSync(lock, "utf8").replace(/"id":"[^"]*"/, '"id":"other"'))
          })
        ),
      heal: () => faults.clear(),
      /** A backup of this content, an hour after the last. */
      backup: (content: Scripted.Content) =>
        Effect.gen(function* () {
          yield* TestClock.adjust("1 hour")
          yield* Scripted.write(database, content)
          return yield* as({})((backup) => backup.create())
        }),
      write: (content: Scripted.Content) => Scripted.write(database, content),
      read: Scripted.read(database),
      /** Without the marks of stores of copies. */
      files: (where = directory) =>
        readdirSync(where)
          .filter((name) => !name.startsWith(".holter-store"))
          .toSorted(),
      /** A file of the older Python script. */
      python: (name: string, content: Scripted.Content) => {
        mkdirSync(directory, { recursive: true })
        writeFileSync(path.join(directory, name), Scripted.textOf(content))
        return name
      }
    }
  })

export const latest: Backup.Choice = { _tag: "Latest" }
export const file = (name: string): Backup.Choice => ({ _tag: "File", file: name })
