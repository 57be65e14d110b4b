/** Backups of one database: made, listed, verified, practised, restored and pruned. */
import { Context, Effect, Layer } from "effect"
import { create } from "./Backup/Create.js"
import { drill } from "./Backup/Drill.js"
import * as Identity from "./Backup/Identity.js"
import { list } from "./Backup/List.js"
import * as Options from "./Backup/Options.js"
import { prune } from "./Backup/Prune.js"
import type {
  Choice,
  Common,
  Created,
  CreateOptions,
  Drilled,
  Listing,
  Pruned,
  Restored,
  RestoreOptions,
  RestorePlan,
  Verified
} from "./Backup/Reports.js"
import { plan, restore } from "./Backup/Restore.js"
import { verify } from "./Backup/Verify.js"
import type { BackupError } from "./BackupError.js"
import { BackupStore } from "./Store.js"
import { BackupStrategy, type Leniency } from "./BackupStrategy/Strategy.js"

export { BackupError } from "./BackupError.js"

export {
  type Copy,
  type Created,
  type Listing,
  type Verified,
  type Drilled,
  type RestorePlan,
  type Restored,
  type Pruned,
  type PrunedCopy,
  type Choice,
  type Common,
  type CreateOptions,
  type RestoreOptions,
  type Stopped
} from "./Backup/Reports.js"

export { type Leniency } from "./BackupStrategy/Strategy.js"

export { type Options } from "./Backup/Options.js"

export class Backup extends Context.Tag("holter/Backup/Backup")<
  Backup,
  {
    readonly create: (options?: CreateOptions) => Effect.Effect<Created, BackupError>
    readonly list: Effect.Effect<Listing, BackupError>
    /** Of one backup or, without a choice, of all of this database. Fails only where none can be read. */
    readonly verify: (
      options?: Common & {
        readonly choice?: Choice | undefined
        readonly deep?: boolean | undefined
      }
    ) => Effect.Effect<ReadonlyArray<Verified>, BackupError>
    readonly drill: (
      options?: Common & Leniency & { readonly choice?: Choice | undefined }
    ) => Effect.Effect<Drilled, BackupError>
    readonly plan: (
      choice: Choice,
      options?: RestoreOptions
    ) => Effect.Effect<RestorePlan, BackupError>
    /** Undefined where `confirm` said no. */
    readonly restore: (
      choice: Choice,
      options?: RestoreOptions
    ) => Effect.Effect<Restored | undefined, BackupError>
    readonly prune: (options?: {
      readonly dryRun?: boolean | undefined
    }) => Effect.Effect<Pruned, BackupError>
  }
>() {}

/**
 * @example
 * import { Backup, BackupStore } from "holter"
 * import { Layer } from "effect"
 *
 * const BackupLive = Backup.layer({ app: "DMarket Bot", keep: 7 }).pipe(
 *   Layer.provide(BackupStore.layerDirectory({ path: "backups" }))
 * )
 */
export const layer = (
  options: Options.Options
): Layer.Layer<Backup, never, BackupStrategy | BackupStore> =>
  Layer.effect(
    Backup,
    Effect.gen(function* () {
      const host = yield* Identity.hostName
      const desk = Options.desk(options, yield* BackupStrategy, yield* BackupStore, host)
      return {
        create: (given = {}) => create(desk, given),
        list: list(desk),
        verify: (given = {}) => verify(desk, given),
        drill: (given = {}) => drill(desk, given),
        plan: (choice, given = {}) => plan(desk, choice, given),
        restore: (choice, given = {}) => restore(desk, choice, given),
        prune: (given = {}) => prune(desk, given)
      }
    })
  )
