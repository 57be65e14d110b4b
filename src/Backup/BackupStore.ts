/** Where backups lie. The face of the stores: the contract, and the stores that Holter brings along. */
import { Effect, Layer } from "effect"
import * as Identity from "./Backup/Identity.js"
import * as Directory from "./BackupStore/Directory.js"
import { BackupStore } from "./BackupStore/Store.js"

export {
  BackupStore,
  problemOf,
  type Stage,
  type Store,
  type Stored
} from "./BackupStore/Store.js"

export interface DirectoryOptions {
  /** Made when it is missing, for this user alone, unless it is `mounted`. */
  readonly path: string
  /** Directories of other disks or machines, mounted here, that get copies. They must be there. */
  readonly copies?: ReadonlyArray<string> | undefined
  /**
   * The directory is on a disk of its own that is mounted there: it is not made, and nothing is written
   * where the file `.holter-store` is missing in it.
   */
  readonly mounted?: boolean | undefined
  /** This machine, as in the options of `Backup`; its host name unless told otherwise. */
  readonly host?: string | undefined
}

/**
 * Backups in a directory, with copies in others.
 *
 * @example
 * import { BackupStore } from "holter"
 *
 * BackupStore.layerDirectory({ path: "backups", copies: ["/mnt/nas/backups"] })
 */
export const layerDirectory = (options: DirectoryOptions): Layer.Layer<BackupStore> =>
  Layer.effect(
    BackupStore,
    Effect.gen(function* () {
      const host = options.host ?? (yield* Identity.hostName)
      const witnesses = options.copies ?? []
      const mounted = options.mounted === true
      const of = { path: options.path, create: !mounted, mounted }
      const main = yield* Directory.make({ ...of, witnesses, host })
      const copies = yield* Effect.forEach(witnesses, (path) =>
        Directory.make({ path, create: false, memory: options.path, host })
      )
      return { main, copies }
    })
  )
