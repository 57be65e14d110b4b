/** What is known of one backup. It lies beside the backup's file, as `<name>.manifest.json`. */
import { Either, Option, ParseResult, Predicate, Schema } from "effect"

/** What a database is by itself, whatever the road to it. `DatabaseIdentity` compares two of them. */
export const Identity = Schema.Struct({
  /** As the operator calls it (`backup.identity`): it decides where both have one. */
  label: Schema.optional(Schema.String),
  /** As the server calls itself: the system identifier of a PostgreSQL cluster. */
  id: Schema.optional(Schema.String),
  /** A database that is a file. */
  file: Schema.optional(
    Schema.Struct({
      /** Within its file system: the same from each container and by each link. */
      path: Schema.String,
      /** The number of the device that holds it. It holds for one start of the system. */
      device: Schema.String,
      /** The device by its name, the export of a server, the layer of a container: where it names one. */
      source: Schema.optional(Schema.String),
      /** The start of the system, as in /proc/sys/kernel/random/boot_id. */
      boot: Schema.optional(Schema.String),
      /** The number of its directory and when that was made, which no other directory has. */
      born: Schema.optional(Schema.String)
    })
  )
})

export type Identity = typeof Identity.Type

/**
 * Which database a backup is of. `name` is the database's name, or the name of the SQLite file;
 * `location` the server's address, or the directory of the file. No user, no password.
 * `host` is the machine: as `backup.host` names it, or the one whose directory, socket or `localhost`
 * that is. `identity` is missing in older manifests, and where a server does not tell it.
 */
export const Database = Schema.Struct({
  engine: Schema.String,
  name: Schema.String,
  location: Schema.String,
  host: Schema.optional(Schema.String),
  identity: Schema.optional(Identity)
})

export type Database = typeof Database.Type

export const Table = Schema.Struct({
  name: Schema.String,
  rows: Schema.Number,
  /**
   * The table that this one is a part of: the root of its partitions, or of its inheritance tree. A restore
   * may put a row into another partition, so rows are compared for each root. Older manifests have none.
   */
  root: Schema.optional(Schema.String)
})

export type Table = typeof Table.Type

/** How the file is compressed. `internal`: by the format of the dump itself, as with pg_dump. */
export const Compression = Schema.Literal("none", "gzip", "zstd", "internal")

export type Compression = typeof Compression.Type

const Sha256 = Schema.String.pipe(Schema.pattern(/^[0-9a-f]{64}$/))

/** One file of a backup that is a directory. */
export const Part = Schema.Struct({ path: Schema.String, bytes: Schema.Number, sha256: Sha256 })

export type Part = typeof Part.Type

/** What a strategy knows of a dump that it has written. */
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

export type Dump = typeof Dump.Type

/** The roles and tablespaces of the server, as statements in a file beside the backup (`globalsOf`). */
export const Globals = Schema.Struct({ bytes: Schema.Number, sha256: Sha256 })

export type Globals = typeof Globals.Type

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
  /** Where they were saved. */
  globals: Schema.optional(Globals),
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

export type Manifest = typeof Manifest.Type

/** Where the manifest of a backup lies, beside it. */
export const fileOf = (name: string): string => `${name}${ending}`

/** Where the roles and tablespaces of a backup lie, beside it. */
export const globalsOf = (name: string): string => `${name}.globals.sql`

/** The backup that a file is the manifest of, by its name; undefined for any other file. */
export const backupOf = (file: string): string | undefined =>
  file.endsWith(ending) && file.length > ending.length ? file.slice(0, -ending.length) : undefined

/** Reads the text of a manifest. What is wrong with it comes in words, for a message. */
export const fromJson = (text: string): Either.Either<Manifest, string> => read(text, decode)

/**
 * The same without what a newer Holter of the same version may have added: three times as fast, for a
 * list of thousands.
 */
export const glance = (text: string): Either.Either<Manifest, string> => read(text, decodeKnown)

const read = (text: string, decode: typeof decodeKnown): Either.Either<Manifest, string> => {
  const found = jsonOf(text)
  if (Option.isNone(found)) return Either.left("a damaged manifest: no JSON")
  const json = found.value
  const version = Predicate.hasProperty(json, "version") ? json.version : undefined
  if (typeof version === "number" && version > 1) {
    return Either.left(`a manifest of version ${version}, made by a newer Holter`)
  }
  return Either.mapLeft(decode(json), (error) => `a damaged manifest: ${firstLine(error)}`)
}

/**
 * Writes a manifest as text that `fromJson` reads. What a strategy of another package got wrong (a
 * checksum that is none) comes in words.
 */
export const toJson = (manifest: Manifest): Either.Either<string, string> =>
  Either.mapBoth(encode(manifest), {
    onLeft: (error) => `a manifest that cannot be written: ${firstLine(error)}`,
    onRight: (text) => `${text}\n`
  })

/**
 * Why a backup is not to be trusted before somebody has looked at it; none where it is in order, or was
 * pinned by somebody who has.
 */
export const suspicions = ({ pinned, suspect }: Manifest): ReadonlyArray<string> =>
  pinned ? [] : (suspect ?? [])

/**
 * The parts of a directory as text whose checksum stands for all of them, sorted by path. A file of
 * this text is what `sha256sum --check` takes.
 */
export const listParts = (parts: ReadonlyArray<Part>): string =>
  [...parts]
    .sort((one, other) => (one.path < other.path ? -1 : 1))
    .map(({ path, sha256 }) => `${sha256}  ${path}\n`)
    .join("")

const ending = ".manifest.json"

/** What a newer Holter of the same version may have added stays when an older one writes. */
const options = { onExcessProperty: "preserve" } as const
const decodeKnown = Schema.decodeUnknownEither(Manifest)
const decode = Schema.decodeUnknownEither(Manifest, options)
const encode = Schema.encodeEither(Schema.parseJson(Manifest, { space: 2 }), options)
const jsonOf = Schema.decodeUnknownOption(Schema.parseJson())

const firstLine = (error: ParseResult.ParseError): string => {
  const [issue] = ParseResult.ArrayFormatter.formatErrorSync(error)
  if (issue === undefined) return error.message
  const at = issue.path.length === 0 ? "" : `${issue.path.join(".")}: `
  // Not what was found: the file may be a link to another one, whose content this would show.
  const expected = issue.message
    .replace(/^Unable to decode [^]* into an? /, "Expected ")
    .replace(/, actual [^]*/, "")
  return `${at}${expected}`
}
