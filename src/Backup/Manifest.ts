/**
 * What is known of one backup. It lies beside the backup's file, as `<name>.manifest.json`.
 *
 * @since 0.1.0
 */
import { Either, ParseResult, Schema } from "effect"

/**
 * Which database a backup is of. `name` is the database's name, or the name of the SQLite file;
 * `location` the server's address, or the directory of the file. No user, no password.
 * `host` is the machine whose directory, socket or `localhost` that is: two machines have the same
 * ones. Older manifests, and those from containers that have a new name at each start, have none.
 *
 * @since 0.1.0
 * @category models
 */
export const Database = Schema.Struct({
  engine: Schema.String,
  name: Schema.String,
  location: Schema.String,
  host: Schema.optional(Schema.String)
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
export const Table = Schema.Struct({
  name: Schema.String,
  rows: Schema.Number,
  /**
   * The table that this one is a part of: the root of its partitions, or of its inheritance tree. A restore
   * may put a row into another partition, so rows are compared for each root. Older manifests have none.
   */
  root: Schema.optional(Schema.String)
})

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
 * @since 0.1.0
 * @category models
 */
export type Part = typeof Part.Type

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
  /** Of the file; of a directory that of the text that `listParts` makes of its parts. */
  sha256: Sha256,
  /** Of the content before compression, where that is a file. */
  contentSha256: Schema.optional(Sha256).pipe(Schema.fromKey("content_sha256")),
  /** The files of a backup that is a directory, sorted by path. */
  parts: Schema.optional(Schema.Array(Part)),
  /**
   * How a SQLite database keeps its journal, since the dump itself is in rollback mode. Older manifests
   * do not tell.
   */
  journalMode: Schema.optional(Schema.Literal("wal", "rollback")).pipe(
    Schema.fromKey("journal_mode")
  ),
  /** What the schema is, so that another one is seen. Older manifests, and SQLite's, do not tell. */
  schema: Schema.optional(Sha256),
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
  /**
   * Why it looks as if data were lost, beside the last backup that did not. Such a one is no measure for
   * the next and pushes none out, until somebody accepts the loss (or pins it).
   */
  suspect: Schema.optional(Schema.Array(Schema.String)),
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

/**
 * Where the manifest of a backup lies, beside it.
 *
 * @since 0.1.0
 * @category utils
 */
export const fileOf = (name: string): string => `${name}${ending}`

/**
 * The backup that a file is the manifest of, by its name; undefined for any other file.
 *
 * @since 0.1.0
 * @category utils
 */
export const backupOf = (file: string): string | undefined =>
  file.endsWith(ending) && file.length > ending.length ? file.slice(0, -ending.length) : undefined

/**
 * Reads the text of a manifest. What is wrong with it comes in words, for a message.
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromJson = (text: string): Either.Either<Manifest, string> =>
  Either.flatMap(versionOf(text), (version) =>
    version > 1
      ? Either.left(`a manifest of version ${version}, made by a newer Holter`)
      : Either.mapLeft(decode(text), (error) => `a damaged manifest: ${firstLine(error)}`)
  )

/**
 * Writes a manifest as text that `fromJson` reads. What a strategy of another package got wrong (a
 * checksum that is none) comes in words.
 *
 * @since 0.1.0
 * @category utils
 */
export const toJson = (manifest: Manifest): Either.Either<string, string> =>
  Either.mapBoth(encode(manifest), {
    onLeft: (error) => `a manifest that cannot be written: ${firstLine(error)}`,
    onRight: (text) => `${text}\n`
  })

/**
 * Why a backup is not to be trusted before somebody has looked at it; none where it is in order, or was
 * pinned by somebody who has.
 *
 * @since 0.1.0
 * @category utils
 */
export const suspicions = ({ pinned, suspect }: Manifest): ReadonlyArray<string> =>
  pinned ? [] : (suspect ?? [])

/**
 * The parts of a directory as text whose checksum stands for all of them, sorted by path. A file of
 * this text is what `sha256sum --check` takes.
 *
 * @since 0.1.0
 * @category utils
 */
export const listParts = (parts: ReadonlyArray<Part>): string =>
  [...parts]
    .sort((one, other) => (one.path < other.path ? -1 : 1))
    .map(({ path, sha256 }) => `${sha256}  ${path}\n`)
    .join("")

const ending = ".manifest.json"

/** What a newer Holter of the same version may have added stays when an older one writes. */
const options = { onExcessProperty: "preserve" } as const
const Json = Schema.parseJson(Manifest, { space: 2 })
const decode = Schema.decodeEither(Json, options)
const encode = Schema.encodeEither(Json, options)

const Version = Schema.parseJson(Schema.Struct({ version: Schema.Number }))

const versionOf = (text: string): Either.Either<number, string> =>
  Schema.decodeEither(Version)(text).pipe(
    Either.map(({ version }) => version),
    Either.mapLeft((error) => `a damaged manifest: ${firstLine(error)}`)
  )

const firstLine = (error: ParseResult.ParseError): string => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  if (issue === undefined) return error.message
  const at = issue.path.length === 0 ? "" : `${issue.path.join(".")}: `
  return `${at}${issue.message}`.slice(0, 200)
}
