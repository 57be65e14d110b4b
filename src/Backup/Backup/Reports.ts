/** What is asked of `Backup`, and what it answers. */
import type { Duration, Effect, Scope } from "effect"
import type { BackupError } from "../BackupError.js"
import type { Stored } from "../Store.js"
import type {
  Leniency,
  OnProgress,
  Outcome,
  Present,
  SetAside
} from "../BackupStrategy/Strategy.js"
import type * as Manifest from "../Manifest.js"

/** Where a copy of a backup went, or why not. */
export interface Copy {
  readonly store: string
  readonly problem: BackupError | undefined
  /** Why this copy looks as if data were lost beside what is in this store, though the backup does not. */
  readonly suspect?: ReadonlyArray<string>
  /** Which copies lack roles and tablespaces, as their file is not what it was, and why. */
  readonly lacks?: ReadonlyArray<string>
}

export interface Created {
  readonly name: string
  /** In which store: `directory /var/backups/bot`. */
  readonly store: string
  readonly manifest: Manifest.Manifest
  readonly copies: ReadonlyArray<Copy>
  readonly pruned: ReadonlyArray<string>
  /** What killed runs had left, and is gone. */
  readonly swept: ReadonlyArray<string>
  /** A backup that shrank suddenly, a table that lost all its rows, a copy that failed. */
  readonly warnings: ReadonlyArray<string>
}

export interface Listing {
  /** Newest first. */
  readonly backups: ReadonlyArray<Stored>
  /**
   * Those of them that Holter made of this database for this app, newest first, with those that do not
   * tell which database of this name they are of.
   */
  readonly own: ReadonlyArray<Stored>
  /** Databases that restores set aside, newest first; none where no database is at hand. */
  readonly setAside: ReadonlyArray<SetAside>
}

export interface Verified {
  readonly name: string
  readonly problem: BackupError | undefined
  readonly warnings: ReadonlyArray<string>
}

export interface Drilled {
  readonly name: string
  readonly tables: ReadonlyArray<Manifest.Table>
  readonly took: Duration.Duration
  readonly warnings: ReadonlyArray<string>
}

/** What a restore will do, or would do (`dryRun`). */
export interface RestorePlan {
  readonly name: string
  readonly manifest: Manifest.Manifest | undefined
  readonly database: Manifest.Database
  readonly present: Present
  /** The name that the pre-restore backup gets; none where there is nothing to save. */
  readonly preRestore: string | undefined
  /** The tables of the present that stay: those of Holter's journal, where it is kept in this database. */
  readonly keeps: ReadonlyArray<string>
  readonly warnings: ReadonlyArray<string>
}

export interface Restored extends RestorePlan {
  readonly method: string
  readonly setAside: string | undefined
  readonly tables: ReadonlyArray<Manifest.Table>
  /** Pre-restore backups and databases that were older than a day and than the last three. */
  readonly pruned: ReadonlyArray<string>
}

export interface Pruned {
  readonly kept: ReadonlyArray<{ readonly name: string; readonly because: string }>
  readonly removed: ReadonlyArray<string>
  /** The same rules in each store of copies. */
  readonly copies: ReadonlyArray<PrunedCopy>
}

export interface PrunedCopy {
  readonly store: string
  readonly removed: ReadonlyArray<string>
  readonly problem: BackupError | undefined
}

/** Which backup: the newest one of the database, or one by its name in the store or its path. */
export type Choice = { readonly _tag: "Latest" } | { readonly _tag: "File"; readonly file: string }

export interface Common {
  readonly onProgress?: OnProgress | undefined
}

export interface CreateOptions extends Common {
  /**
   * The rows that are gone were meant to go: this backup is in order, and what the next ones are measured
   * by.
   */
  readonly acceptLoss?: boolean | undefined
  /** With the roles and tablespaces of the server; what the options of `Backup` say where it is left out. */
  readonly globals?: boolean | undefined
}

export interface RestoreOptions extends Common, Leniency {
  /** Also from a backup of another database of the same engine. */
  readonly allowOther?: boolean | undefined
  /** Also where the present cannot be read, and so not be saved: it is moved aside. */
  readonly replaceDamaged?: boolean | undefined
  /**
   * Whose journal of Holter (its tables `holter_*`) the database has afterwards. `present`, the default:
   * what is owed, open incidents and silences stay as they are. `backup`: as they were then.
   */
  readonly journal?: "present" | "backup" | undefined
  /**
   * Holds the program's own writes while others are kept from the database: run when all is prepared, just before
   * the lock is taken; its scope is closed when the lock is gone, whatever happened. For a program that has
   * the database open itself, and would block or fail at the lock.
   */
  readonly quiesce?: Effect.Effect<unknown, never, Scope.Scope> | undefined
  /** Called with the plan before anything is changed; `false` ends it there. */
  readonly confirm?: ((plan: RestorePlan) => Effect.Effect<boolean>) | undefined
  /** Called with the name of the pre-restore backup, once it is made and before the restore begins. */
  readonly onSaved?: ((name: string) => Effect.Effect<void>) | undefined
  /**
   * Called where a restore that was agreed to is interrupted, with what has become of the database: as a
   * rule it is as it was, but the interruption may come too late.
   */
  readonly onInterrupted?: ((stopped: Stopped) => Effect.Effect<void>) | undefined
}

export interface Stopped {
  readonly plan: RestorePlan
  readonly outcome: Outcome
  /** The pre-restore backup, where it was made. */
  readonly preRestore: string | undefined
}
