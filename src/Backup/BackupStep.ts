/**
 * The steps of the work on backups, in the order in which they happen: written down once, so that a
 * suite can put a fault at each of them.
 */
import { Context, Effect } from "effect"
import type { BackupError } from "./BackupError.js"

export const steps = {
  create: ["lock", "sweep", "space", "dump", "verify", "publish", "copy", "prune"],
  restore: ["lock", "sweep", "verify", "present", "pre-restore", "restore", "prune"],
  prune: ["lock", "sweep", "plan", "remove"]
} as const

/** `create/dump`, `restore/restore`. */
export type BackupStep = {
  [Work in keyof typeof steps]: `${Work}/${(typeof steps)[Work][number]}`
}[keyof typeof steps]

/** Called before each step. Does nothing, unless a test puts a fault in its place. */
export class BeforeStep extends Context.Reference<BeforeStep>()("holter/Backup/BeforeStep", {
  defaultValue: (): ((step: BackupStep) => Effect.Effect<void, BackupError>) => () => Effect.void
}) {}
