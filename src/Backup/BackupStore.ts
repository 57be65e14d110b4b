/** Where backups lie. The face of the stores: the contract, and the stores that Holter brings along. */
import { Effect, Layer } from "effect"
import * as os from "node:os"
import * as Identity from "./Backup/Identity.js"
import * as Directory from "./BackupStore/Directory.js"
import type { ObjectStore } from "./ObjectStore.js"
import * as Store from "./Store.js"

export {
  type Content,
  type Description,
  type Entry,
  type Found,
  type ObjectStore,
  ofText,
  type Part,
  type PutOptions,
  type Staged,
  textOf,
  type Wanted
} from "./ObjectStore.js"
export { BackupStore, problemOf, type Stage, type Store, type Stored } from "./Store.js"

export interface Options {
  /** Where backups are made. */
  readonly main: ObjectStore
  /** What gets copies. */
  readonly copies?: ReadonlyArray<ObjectStore> | undefined
  /** Where dumps are written before they go into a store; the system's directory for temporary files. */
  readonly staging?: string | undefined
}

/**
 * Backups in any place that keeps objects.
 *
 * @example
 * import { BackupStore } from "holter"
 *
 * declare const bucket: BackupStore.ObjectStore
 *
 * BackupStore.layer({ main: bucket, staging: "/var/tmp" })
 */
export const layer = ({
  copies = [],
  main,
  staging = os.tmpdir()
}: Options): Layer.Layer<Store.BackupStore> =>
  Layer.effect(
    Store.BackupStore,
    Effect.gen(function* () {
      const of = (objects: ObjectStore) => Store.make({ objects, staging })
      return { main: yield* of(main), copies: yield* Effect.forEach(copies, of) }
    })
  )

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
export const layerDirectory = (options: DirectoryOptions): Layer.Layer<Store.BackupStore> =>
  Layer.effect(
    Store.BackupStore,
    Effect.gen(function* () {
      const host = options.host ?? (yield* Identity.hostName)
      const witnesses = options.copies ?? []
      const mounted = options.mounted === true
      const of = (place: Directory.Options) =>
        Effect.flatMap(Directory.make(place), (objects) =>
          // Dumps are written where they stay.
          Store.make({ objects, staging: objects.place })
        )
      const main = yield* of({ path: options.path, create: !mounted, mounted, witnesses, host })
      const copies = yield* Effect.forEach(witnesses, (path) =>
        of({ path, create: false, memory: options.path, host })
      )
      return { main, copies }
    })
  )
