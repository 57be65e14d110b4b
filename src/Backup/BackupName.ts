/**
 * The names of backup files: `<app>_<engine>_<YYYYMMDD_HHMMSS_mmm>.<extension>`, in UTC.
 *
 * The time in a name is when the backup was started. It is all that a file without a manifest tells,
 * such as those of the Python script that Holter replaces, whose older names have no time of day.
 *
 * @since 0.1.0
 */
import type { DateTime } from "effect"

/**
 * @since 0.1.0
 * @category models
 */
export interface BackupName {
  /** Whose backup it is, as part of a file's name: `dmarket_bot`. */
  readonly app: string
  /** Made before a restore, and kept out of rotation. */
  readonly preRestore: boolean
  /** `sqlite`, `postgresql`, or what a strategy of another package calls its own. */
  readonly engine: string
  readonly startedAt: DateTime.Utc
  /** `db`, `db.gz`, `db.zst`, `dump`. */
  readonly extension: string
}
