/**
 * What `--json` prints of backups. Names are snake_case and times UTC in ISO 8601, as in manifests.
 * Pure.
 */
import { DateTime, Duration, Option, Schema } from "effect"
import type {
  Created,
  Drilled,
  Pruned,
  RestorePlan,
  Restored,
  Verified
} from "../../Backup/Backup.js"
import type { BackupError } from "../../Backup/BackupError.js"
import { problemOf, type Stored } from "../../Backup/Store.js"
import type { Present } from "../../Backup/BackupStrategy/Strategy.js"
import { Manifest } from "../../Backup/Manifest.js"
import type { Found } from "./BackupAccess.js"

type Json = { readonly [key: string]: unknown }

const manifest = Schema.encodeSync(Manifest)

/** `takeBack` is the command that restores the pre-restore backup. */
export const ofError = (error: BackupError, takeBack?: string): Json => {
  const { advice = null, expected, found, message, preRestore, reason, subject } = error
  const told = { reason, message, subject, expected, found, advice }
  return preRestore === undefined
    ? told
    : { ...told, pre_restore: preRestore, take_back: takeBack ?? null }
}

export const ofCreated = (created: Created): Json => ({
  name: created.name,
  store: created.store,
  manifest: manifest(created.manifest),
  copies: created.copies.map(({ problem, store }) => ({
    store,
    error: problem === undefined ? null : ofError(problem)
  })),
  pruned: created.pruned,
  swept: created.swept,
  warnings: created.warnings
})

export const ofFound = (found: Found, directory: string, now: DateTime.Utc): Json => ({
  directory,
  backups: found.backups.map((one) => ofStored(one, now)),
  set_aside: found.setAside.map(({ at, bytes, name }) => ({
    name,
    at: DateTime.formatIso(at),
    bytes: bytes ?? null
  })),
  warnings: found.warnings
})

const ofStored = (one: Stored, now: DateTime.Utc): Json => ({
  name: one.name,
  app: one.parsed.app,
  engine: one.parsed.engine,
  purpose: one.parsed.preRestore ? "pre_restore" : "backup",
  started_at: DateTime.formatIso(one.parsed.startedAt),
  age_seconds: Math.round((now.epochMillis - one.parsed.startedAt.epochMillis) / 1000),
  bytes: one.bytes,
  problem: problemOf(one) ?? null,
  manifest: Option.getOrNull(Option.map(one.manifest, manifest))
})

export const ofVerified = (all: ReadonlyArray<Verified>): Json => ({
  backups: all.map(({ name, problem, warnings }) => ({
    name,
    ok: problem === undefined,
    error: problem === undefined ? null : ofError(problem),
    warnings
  }))
})

export const ofDrilled = ({ name, tables, took, warnings }: Drilled): Json => ({
  name,
  tables,
  took_seconds: Math.round(Duration.toMillis(took)) / 1000,
  warnings
})

export const ofPlan = (plan: RestorePlan): Json => ({
  name: plan.name,
  manifest: plan.manifest === undefined ? null : manifest(plan.manifest),
  database: plan.database,
  present: ofPresent(plan.present),
  pre_restore: plan.preRestore ?? null,
  keeps: plan.keeps,
  warnings: plan.warnings
})

const ofPresent = (present: Present): Json => {
  switch (present._tag) {
    case "Absent":
      return { state: "absent" }
    case "Readable":
      return { state: "readable", bytes: present.bytes }
    case "Damaged":
      return { state: "damaged", found: present.found }
  }
}

export const ofRestored = (restored: Restored): Json => ({
  ...ofPlan(restored),
  method: restored.method,
  set_aside: restored.setAside ?? null,
  tables: restored.tables,
  pruned: restored.pruned
})

export const ofPruned = ({ copies, kept, removed }: Pruned, dryRun: boolean): Json => ({
  dry_run: dryRun,
  kept,
  removed,
  copies: copies.map(({ problem, removed, store }) => ({
    store,
    removed,
    error: problem === undefined ? null : ofError(problem)
  }))
})
