/**
 * The front door: checks, alerts, a journal and backups put together, started and ended in order, as
 * `holter watch` has them. Each part can be taken by itself as well.
 */
export { BackupOptionsError } from "./Holter/BackupOptions.js"
export {
  type Backups,
  type BackupsFailure,
  type BackupsRequirements,
  layerBackups
} from "./Holter/Backups.js"
export type { Failure as JournalFailure } from "./Holter/ProgramJournal.js"
export { type Failure, layer, type Needs, type Options, type Services } from "./Holter/Watch.js"
