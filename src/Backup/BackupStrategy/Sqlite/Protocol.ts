/**
 * What the child is asked, and what it answers: a line of JSON each. One child does one request.
 *
 * A restore has two halves. When all is prepared and nobody else can write any more the child says
 * `Locked`; it changes nothing before it reads the line `go`. Where the program that asks wants to hold its
 * own writes first, the child says `Prepared` before it takes the lock, and waits for a `go` there as well.
 */
import { Schema } from "effect"
import { Reason } from "../../BackupError.js"
import { Table } from "../../Manifest.js"

/** @internal */
export interface Common {
  /** How long to wait for locks, in milliseconds. */
  readonly busyTimeout: number
}

/** @internal */
export interface User {
  readonly uid: number
  readonly gid: number
}

/** With whose rights the work is done, where root asks for it and the database is somebody else's. */
interface ByUser {
  readonly user?: User | undefined
}

/** @internal */
export interface PresentRequest extends Common, ByUser {
  readonly _tag: "Present"
  readonly database: string
}

/** @internal */
export interface MeasureRequest extends ByUser {
  readonly _tag: "Measure"
  readonly database: string
}

/** @internal */
export interface DumpRequest extends Common, ByUser {
  readonly _tag: "Dump"
  /** Where the copy goes that is compressed: in a directory to be made, where there is a user. */
  readonly copyAt: string
  readonly database: string
  readonly path: string
  readonly compression: "none" | "gzip" | "zstd"
  readonly level: number | undefined
  readonly copy: "vacuum" | "frozen" | "auto"
  /** Another child has the write lock, and keeps it until this one is done. */
  readonly held: boolean
}

/** What a payload must be, where that is known. @internal */
export interface Expected {
  readonly bytes: number
  readonly sha256: string
  readonly contentBytes: number
  readonly contentSha256?: string | undefined
  readonly journalMode?: "wal" | "rollback" | undefined
  readonly tables: ReadonlyArray<Table>
}

/** @internal */
export interface PayloadRequest extends ByUser {
  readonly path: string
  readonly compression: "none" | "gzip" | "zstd"
  readonly expected: Expected | undefined
  /** Where the content goes. Nothing is there. */
  readonly scratch: string
}

/** @internal */
export interface VerifyRequest extends PayloadRequest {
  readonly _tag: "Verify"
  readonly deep: boolean
  /** Its content was checked when it was dumped: its checksum tells that it is still the same. */
  readonly readBack: boolean
}

/** @internal */
export interface DrillRequest extends PayloadRequest {
  readonly _tag: "Drill"
}

/** @internal */
export interface RestoreRequest extends PayloadRequest, Common {
  readonly _tag: "Restore"
  readonly database: string
  /** Where a damaged present goes. */
  readonly aside: string
  readonly replaceDamaged: boolean
  /** Holter's journal of now stays. */
  readonly keepJournal: boolean
  /** Whether it says `Prepared`, and waits, before it takes the lock. */
  readonly quiesces: boolean
}

/** Removes what runs have left, and databases that were set aside. @internal */
export interface CleanRequest extends ByUser {
  readonly _tag: "Clean"
  readonly directories: ReadonlyArray<string>
  readonly files: ReadonlyArray<string>
}

/** What a restore waits for. @internal */
export const go = "go"

/** @internal */
export type Request =
  | CleanRequest
  | MeasureRequest
  | PresentRequest
  | DumpRequest
  | VerifyRequest
  | DrillRequest
  | RestoreRequest

const Present = Schema.TaggedStruct("Present", {
  damaged: Schema.optional(Schema.String),
  advice: Schema.optional(Schema.String),
  journal: Schema.optional(Schema.Array(Schema.String))
})

const Cleaned = Schema.TaggedStruct("Cleaned", {})

const Measured = Schema.TaggedStruct("Measured", { bytes: Schema.Number })

const Dumped = Schema.TaggedStruct("Dumped", {
  strategy: Schema.String,
  engineVersion: Schema.String,
  bytes: Schema.Number,
  contentBytes: Schema.Number,
  sha256: Schema.String,
  contentSha256: Schema.String,
  journalMode: Schema.Literal("wal", "rollback"),
  tables: Schema.Array(Table),
  warnings: Schema.Array(Schema.String)
})

const Verified = Schema.TaggedStruct("Verified", { warnings: Schema.Array(Schema.String) })

const Drilled = Schema.TaggedStruct("Drilled", {
  tables: Schema.Array(Table),
  warnings: Schema.Array(Schema.String)
})

const Restored = Schema.TaggedStruct("Restored", {
  method: Schema.String,
  setAside: Schema.optional(Schema.String),
  tables: Schema.Array(Table),
  kept: Schema.Array(Schema.String),
  warnings: Schema.Array(Schema.String)
})

/** All is read and checked; what comes next keeps others from writing. */
const Prepared = Schema.TaggedStruct("Prepared", {})

/** What is there cannot be read: it is moved aside, which no other program may have open. */
const Locked = Schema.TaggedStruct("Locked", { replaces: Schema.Boolean })

const Failed = Schema.TaggedStruct("Failed", {
  reason: Reason,
  subject: Schema.String,
  expected: Schema.String,
  found: Schema.String,
  advice: Schema.optional(Schema.String)
})

const Progress = Schema.TaggedStruct("Progress", {
  stage: Schema.String,
  bytes: Schema.Number,
  total: Schema.optional(Schema.Number)
})

/** @internal */
export const Answer = Schema.Union(
  Progress,
  Prepared,
  Locked,
  Failed,
  Cleaned,
  Measured,
  Present,
  Dumped,
  Verified,
  Drilled,
  Restored
)

/** @internal */
export type Answer = typeof Answer.Type
/** @internal */
export type Failed = typeof Failed.Type
/** @internal */
export type Present = typeof Present.Type
/** @internal */
export type Dumped = typeof Dumped.Type
/** @internal */
export type Verified = typeof Verified.Type
/** @internal */
export type Drilled = typeof Drilled.Type
/** @internal */
export type Restored = typeof Restored.Type
/** @internal */
export type Prepared = typeof Prepared.Type
/** @internal */
export type Locked = typeof Locked.Type
/** @internal */
export type Progress = typeof Progress.Type
