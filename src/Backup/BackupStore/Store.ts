/** Where backups lie: the contract that a directory fulfils, and any other place can. */
import { Context, type Effect, Option, type Scope } from "effect"
import type { BackupError } from "../BackupError.js"
import type { Waiting } from "../BackupLock.js"
import type { BackupName } from "../BackupName.js"
import type { Manifest } from "../Manifest.js"

/** One backup in a store. */
export interface Stored {
  /** The file's name. */
  readonly name: string
  readonly parsed: BackupName
  readonly bytes: number
  /** None beside the files of the Python script. */
  readonly manifest: Option.Option<Manifest>
  /** What is wrong with it at a look: a manifest that cannot be read, a size that is not its. */
  readonly problem: string | undefined
}

/**
 * What speaks against restoring a backup, as far as is known without reading it. Each was verified
 * when it was made: that is taken back where `verify` finds it corrupt.
 */
export const problemOf = ({ manifest, problem }: Stored): string | undefined =>
  problem ??
  (Option.exists(manifest, ({ verified }) => verified === null)
    ? "found corrupt by holter backup verify"
    : undefined)

/** A backup in the making: a place on a local disk, and the way from there into the store. */
export interface Stage {
  /** Where to write it. Nothing is there yet, and what is there when the scope ends is removed. */
  readonly path: string
  /**
   * Makes it a backup of the store, at once or not at all: its size and checksum were read back. Where the
   * manifest has `globals`, they are at `Manifest.globalsOf(path)`.
   */
  readonly publish: (
    manifest: Manifest,
    options?: PublishOptions
  ) => Effect.Effect<void, BackupError>
}

export interface PublishOptions {
  /** The strategy has read the file back from the disk a moment ago: where it lies is where it stays. */
  readonly isReadBack?: boolean | undefined
  /** Called again and again while a file is read back: a sign that the store answers. */
  readonly onAlive?: Effect.Effect<void> | undefined
}

export interface Store {
  /** For messages: `directory /var/backups/bot`. */
  readonly description: string
  /** Every backup, whoever made it, newest first by its manifest or its name. */
  readonly list: Effect.Effect<ReadonlyArray<Stored>, BackupError>
  readonly stage: Effect.Effect<Stage, BackupError, Scope.Scope>
  /** The backup on a local disk, with its globals beside it, for as long as the scope is open. */
  readonly fetch: (name: string) => Effect.Effect<string, BackupError, Scope.Scope>
  readonly remove: (name: string) => Effect.Effect<void, BackupError>
  /** Records what was learned of a backup later on: a verification, a drill, a pin. */
  readonly update: (manifest: Manifest) => Effect.Effect<void, BackupError>
  /** One run at a time; where it is not free in time, it fails with `Locked` and says who holds it. */
  readonly lock: (
    purpose: string,
    waiting?: Waiting
  ) => Effect.Effect<void, BackupError, Scope.Scope>
  /** Fails with `Locked` where the lock that this run took is another one's by now. */
  readonly held: Effect.Effect<void, BackupError>
  /** What is wrong with the place and no reason not to use it: others may read it. */
  readonly warnings: Effect.Effect<ReadonlyArray<string>, BackupError>
  /** Removes what a killed run left, of its own making only. To be called under the lock. */
  readonly sweep: Effect.Effect<ReadonlyArray<string>, BackupError>
  /** Bytes that a new backup may take, where that is known. */
  readonly free: Effect.Effect<number | undefined, BackupError>
}

/** The store that backups are made in, and those that get copies. */
export class BackupStore extends Context.Tag("holter/Backup/BackupStore")<
  BackupStore,
  { readonly main: Store; readonly copies: ReadonlyArray<Store> }
>() {}
