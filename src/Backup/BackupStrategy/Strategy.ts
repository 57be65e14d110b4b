/**
 * How one kind of database is dumped, verified and restored: the contract between `Backup`, which
 * knows files, locks and retention, and the engines, which know their databases.
 *
 * A strategy of another package provides this tag; nothing else of Holter has to know of it.
 */
import { Context, type DateTime, type Effect, type Scope } from "effect"
import type { BackupError } from "../BackupError.js"
import type * as Manifest from "../Manifest.js"

/** How far a long piece of work has come. */
export interface Progress {
  /** `wait`, `dump`, `compress`, `verify`, `restore`, `compare`, `copy`. */
  readonly stage: string
  /** What it is waited for. */
  readonly note?: string | undefined
  readonly bytes: number
  /** Where it is known. */
  readonly total: number | undefined
}

export type OnProgress = (progress: Progress) => Effect.Effect<void>

/** A backup that lies on a local disk. One of the Python script has no manifest. */
export interface Payload {
  /** A file, or the directory of a directory dump. */
  readonly path: string
  readonly compression: Manifest.Compression
  /** What it must be, where that is known. */
  readonly dump: Manifest.Dump | undefined
}

/** What is at the database's URL now. */
export type Present = (
  | { readonly _tag: "Absent" }
  | {
      readonly _tag: "Readable"
      readonly bytes: number
      /** The tables of Holter's own journal that lie in it, where it is kept there. */
      readonly journal?: ReadonlyArray<string> | undefined
    }
  /** It cannot be read as a database, so there can be no pre-restore backup of it. */
  | {
      readonly _tag: "Damaged"
      readonly found: string
      /** What to do, where it is more than to let it be set aside. */
      readonly advice?: string | undefined
    }
) & { readonly warnings?: ReadonlyArray<string> | undefined }

export interface DumpOptions {
  /** Does not exist yet; its directory does. Created for this user alone (0600, a directory 0700). */
  readonly path: string
  readonly compression: Exclude<Manifest.Compression, "internal">
  /** Of gzip or zstd, or of the engine's own tool; the strategy has its default. */
  readonly level: number | undefined
  /** Bytes that must stay free on the disk, for a strategy that cannot tell beforehand what it writes. */
  readonly minimumFree?: number | undefined
  readonly onProgress: OnProgress
}

export interface VerifyOptions {
  /** Also what takes long: `integrity_check` and `foreign_key_check` of SQLite. */
  readonly deep: boolean
  /**
   * The dump was made a moment ago by this strategy, which checked its content then: what lies on the
   * disk is read back and compared with the record, and what was checked is not checked again.
   */
  readonly justDumped?: boolean | undefined
  readonly onProgress: OnProgress
}

export interface Verification {
  /** What is worth knowing and no reason to distrust the backup. */
  readonly warnings: ReadonlyArray<string>
}

/**
 * What has become of the present by now. `Unknown`: it is being replaced, and where the restore is
 * broken off at this moment nobody can tell whether it was. `Failed`: it was tried, and the error tells.
 */
export type Outcome =
  | { readonly _tag: "Unchanged" }
  | { readonly _tag: "Unknown" }
  | { readonly _tag: "Failed"; readonly error: BackupError }
  | { readonly _tag: "Replaced"; readonly setAside: string | undefined }

/** What a restore may leave out. An engine that has nothing of the kind takes no notice. */
export interface Leniency {
  /**
   * Also where objects cannot be made (an index, a constraint, an extension): it goes on without those, and
   * names each. The rows of every table that is there are whole in any case.
   */
  readonly allowIncomplete?: boolean | undefined
  /** Without owners, and without the grants of roles that the server does not have. */
  readonly noOwner?: boolean | undefined
}

/** Of what is asked for, that part. @internal */
export const leniencyOf = ({ allowIncomplete, noOwner }: Leniency): Leniency => ({
  allowIncomplete,
  noOwner
})

export interface RestoreOptions extends Leniency {
  /** Names what is set aside: `<name>_pre_restore_<time>`. */
  readonly startedAt: DateTime.Utc
  /** A present that cannot be read may be moved aside. */
  readonly replaceDamaged: boolean
  /**
   * Whose journal of Holter (its tables `holter_*`) the database has afterwards, where there is one in the
   * present: what is owed, open incidents and silences are of the present, so that it is its own unless
   * told otherwise. An engine that keeps none takes no notice.
   */
  readonly journal?: "present" | "backup" | undefined
  readonly onProgress: OnProgress
  /**
   * Called, not to be interrupted, at each moment from which what has become of the present is another
   * thing: so that an end by a signal can be told as what it is. Before the first call nothing has
   * changed.
   */
  readonly onOutcome?: ((outcome: Outcome) => Effect.Effect<void>) | undefined
}

export interface HoldOptions extends RestoreOptions {
  /**
   * Holds the writes of the program that restores, for as long as the scope is open. To be run when all is
   * prepared, just before others are kept from writing, and to end when they are let in again.
   */
  readonly quiesce?: Effect.Effect<unknown, never, Scope.Scope> | undefined
}

export interface Restored {
  /** What was done, in words: `through SQLite's backup API`, `into a new database, then renamed`. */
  readonly method: string
  /** Where the present was set aside, beside its pre-restore backup. */
  readonly setAside: string | undefined
  readonly tables: ReadonlyArray<Manifest.Table>
  /** Tables of the present that stayed: those of Holter's journal. */
  readonly kept?: ReadonlyArray<string> | undefined
  readonly warnings: ReadonlyArray<string>
}

/** A present that nobody else can write to, until the scope ends in which it is held. */
export interface Held {
  /** A dump of exactly what the restore will replace. */
  readonly dump: Strategy["dump"]
  readonly restore: Effect.Effect<Restored, BackupError>
  /** The restore leaves the present beside, under another name: nothing is lost, even unsaved. */
  readonly staysAside?: boolean | undefined
}

export interface Drilled {
  readonly tables: ReadonlyArray<Manifest.Table>
  readonly warnings: ReadonlyArray<string>
}

/** A database that a restore set aside. */
export interface SetAside {
  readonly name: string
  readonly at: DateTime.Utc
  readonly bytes: number | undefined
}

export interface Strategy {
  /** Stands in names of files: lower-case letters and digits. */
  readonly engine: string
  /** The end of a file's name: `db.gz`, `dump`. */
  readonly extension: (compression: DumpOptions["compression"]) => string
  readonly database: Effect.Effect<Manifest.Database, BackupError>
  /**
   * What the database is by itself, for its backups to be told from those of another one on the same
   * road. Undefined where that cannot be known now: then nothing is pruned, and none is the latest.
   * Where the member is left out, a database is what has its name at its place.
   */
  readonly identity?: Effect.Effect<Manifest.Identity | undefined> | undefined
  readonly present: Effect.Effect<Present, BackupError>
  /**
   * What a dump needs on the disk at the least, for the check of free space before the work. 0 where it cannot
   * be told: then the last dump is the measure, and the free space is watched while it is written.
   */
  readonly estimate: Effect.Effect<number, BackupError>
  /** Writes a dump that is complete and on the disk (fsync) when this succeeds. */
  readonly dump: (options: DumpOptions) => Effect.Effect<Manifest.Dump, BackupError>
  /**
   * Writes what the server has outside of its databases (roles, tablespaces; no password) as text to a file
   * that is not there yet, for this user alone and on the disk. Left out where there is nothing of the kind.
   */
  readonly globals?: ((path: string) => Effect.Effect<void, BackupError>) | undefined
  /** Reads all of a payload; fails with `Corrupt` or `WrongEngine`. */
  readonly verify: (
    payload: Payload,
    options: VerifyOptions
  ) => Effect.Effect<Verification, BackupError>
  /** Restores into a scratch database, compares it with the dump's record, and drops it. */
  readonly drill: (
    payload: Payload,
    options: Leniency & { readonly onProgress: OnProgress }
  ) => Effect.Effect<Drilled, BackupError>
  /**
   * What a drill would refuse, as far as that is known without rows. Asked once for each new schema, after
   * the backup is made.
   */
  readonly rehearse?:
    | ((payload: Payload) => Effect.Effect<ReadonlyArray<string>, BackupError>)
    | undefined
  /**
   * Whether there is room for a restore where the database is. Fails with `DiskFull`; tells how much it
   * takes where that cannot be seen.
   */
  readonly room?:
    | ((payload: Payload) => Effect.Effect<ReadonlyArray<string>, BackupError>)
    | undefined
  /** Puts a payload in the place of the present. If it fails, the present is as it was. */
  readonly restore: (
    payload: Payload,
    options: RestoreOptions
  ) => Effect.Effect<Restored, BackupError>
  /**
   * A restore in two halves, where the engine can: the payload is prepared and others are kept from
   * writing, so that what is saved is all that the second half replaces. Without it a commit in between
   * is in neither.
   */
  readonly hold?:
    | ((payload: Payload, options: HoldOptions) => Effect.Effect<Held, BackupError, Scope.Scope>)
    | undefined
  /** Databases that earlier restores set aside, newest first. */
  readonly setAside: Effect.Effect<ReadonlyArray<SetAside>, BackupError>
  readonly dropSetAside: (name: string) => Effect.Effect<void, BackupError>
}

export class BackupStrategy extends Context.Tag("holter/Backup/BackupStrategy")<
  BackupStrategy,
  Strategy
>() {}
