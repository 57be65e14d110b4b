/**
 * What is known of one backup. It lies beside the backup's file, as `<name>.manifest.json`.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"

/**
 * Which database a backup is of. `name` is the database's name, or the name of the SQLite file;
 * `location` the server's address, or the directory of the file. No user, no password.
 *
 * @since 0.1.0
 * @category models
 */
export const Database = Schema.Struct({
  engine: Schema.String,
  name: Schema.String,
  location: Schema.String
})

/**
 * @since 0.1.0
 * @category models
 */
export type Database = typeof Database.Type

/**
 * @since 0.1.0
 * @category models
 */
export const Table = Schema.Struct({ name: Schema.String, rows: Schema.Number })

/**
 * @since 0.1.0
 * @category models
 */
export type Table = typeof Table.Type

/**
 * How the file is compressed. `internal`: by the format of the dump itself, as with pg_dump.
 *
 * @since 0.1.0
 * @category models
 */
export const Compression = Schema.Literal("none", "gzip", "zstd", "internal")

/**
 * @since 0.1.0
 * @category models
 */
export type Compression = typeof Compression.Type

const Sha256 = Schema.String.pipe(Schema.pattern(/^[0-9a-f]{64}$/))

/**
 * One file of a backup that is a directory.
 *
 * @since 0.1.0
 * @category models
 */
export const Part = Schema.Struct({ path: Schema.String, bytes: Schema.Number, sha256: Sha256 })

/**
 * What a strategy knows of a dump that it has written.
 *
 * @since 0.1.0
 * @category models
 */
export const Dump = Schema.Struct({
  database: Database,
  /** How it was made: `vacuum-into`, `frozen-copy`, `pg_dump-custom`, `pg_dump-directory`. */
  strategy: Schema.String,
  engineVersion: Schema.propertySignature(Schema.String).pipe(Schema.fromKey("engine_version")),
  compression: Compression,
  /** Of what lies on the disk. */
  bytes: Schema.Number,
  /** Before compression; of a server the size of the database. */
  contentBytes: Schema.propertySignature(Schema.Number).pipe(Schema.fromKey("content_bytes")),
  /** Of the file; of a directory that of its list of parts, see `parts`. */
  sha256: Sha256,
  /** Of the content before compression, where that is a file. */
  contentSha256: Schema.optional(Sha256).pipe(Schema.fromKey("content_sha256")),
  /** The files of a backup that is a directory, sorted by path. */
  parts: Schema.optional(Schema.Array(Part)),
  /** Tables and their rows, counted in the snapshot that was dumped. */
  tables: Schema.Array(Table),
  warnings: Schema.Array(Schema.String)
})

/**
 * @since 0.1.0
 * @category models
 */
export type Dump = typeof Dump.Type

/**
 * @since 0.1.0
 * @category models
 */
export const Manifest = Schema.Struct({
  /** Of this format. */
  version: Schema.Literal(1),
  name: Schema.String,
  app: Schema.String,
  purpose: Schema.Literal("backup", "pre_restore"),
  startedAt: Schema.propertySignature(Schema.DateTimeUtc).pipe(Schema.fromKey("started_at")),
  finishedAt: Schema.propertySignature(Schema.DateTimeUtc).pipe(Schema.fromKey("finished_at")),
  /** The version of Holter. */
  holter: Schema.String,
  dump: Dump,
  /** A pinned backup is never pruned. */
  pinned: Schema.Boolean,
  verified: Schema.NullOr(
    Schema.Struct({ at: Schema.DateTimeUtc, depth: Schema.Literal("quick", "deep") })
  ),
  /** When it was last restored into a scratch database and compared. */
  drilled: Schema.NullOr(Schema.Struct({ at: Schema.DateTimeUtc }))
})

/**
 * @since 0.1.0
 * @category models
 */
export type Manifest = typeof Manifest.Type
