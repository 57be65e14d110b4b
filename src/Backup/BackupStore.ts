/**
 * Where backups lie. The face of the stores: the contract, and the stores that Holter brings along.
 *
 * @since 0.1.0
 */
import { Effect, Layer } from "effect"
import * as Directory from "./BackupStore/Directory.js"
import { BackupStore } from "./BackupStore/Store.js"

export {
  /**
   * @since 0.1.0
   * @category tags
   */
  BackupStore,
  /**
   * @since 0.1.0
   * @category utils
   */
  problemOf,
  /**
   * @since 0.1.0
   * @category models
   */
  type Stage,
  /**
   * @since 0.1.0
   * @category models
   */
  type Store,
  /**
   * @since 0.1.0
   * @category models
   */
  type Stored
} from "./BackupStore/Store.js"

/**
 * @since 0.1.0
 * @category models
 */
export interface DirectoryOptions {
  /** Made when it is missing, for this user alone. */
  readonly path: string
  /** Directories of other disks or machines, mounted here, that get copies. They must be there. */
  readonly copies?: ReadonlyArray<string> | undefined
}

/**
 * Backups in a directory, with copies in others.
 *
 * @since 0.1.0
 * @category layers
 * @example
 * import { BackupStore } from "holter"
 *
 * BackupStore.layerDirectory({ path: "backups", copies: ["/mnt/nas/backups"] })
 */
export const layerDirectory = (options: DirectoryOptions): Layer.Layer<BackupStore> =>
  Layer.effect(
    BackupStore,
    Effect.gen(function* () {
      const main = yield* Directory.make({ path: options.path, create: true })
      const copies = yield* Effect.forEach(options.copies ?? [], (path) =>
        Directory.make({ path, create: false, memory: options.path })
      )
      return { main, copies }
    })
  )
