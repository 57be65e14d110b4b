/**
 * Holter: health checks as plugins, alerts, backups and an orderly shutdown. Namespaces, and the two functions
 * that run a program. Plugins have entry points of their own (`holter/plugins/Redis`), so that a program
 * loads only the drivers that it uses.
 */
export * as Holter from "./Holter.js"

export { launch } from "./Lifecycle/launch.js"
export { runMain } from "./Lifecycle/runMain.js"
export * as Beacon from "./Lifecycle/Beacon.js"
export * as HttpDrain from "./Lifecycle/HttpDrain.js"
export * as Lifecycle from "./Lifecycle/Lifecycle.js"
export * as ReloadRequest from "./Lifecycle/ReloadRequest.js"
export * as ShutdownReport from "./Lifecycle/ShutdownReport.js"
export * as StateStore from "./Lifecycle/StateStore.js"
export * as Watchdog from "./Lifecycle/Watchdog.js"

export * as Check from "./Check/Check.js"
export * as CheckRegistry from "./Check/CheckRegistry.js"
export * as CheckResult from "./Check/CheckResult.js"
export * as CheckRunner from "./Check/CheckRunner.js"
export * as ConfigField from "./Plugin/ConfigField.js"
export * as Outcome from "./Check/Outcome.js"

export * as Alert from "./Alert/Alert.js"
export * as AlertChannel from "./Alert/AlertChannel.js"
export * as AlertDocument from "./Alert/AlertDocument.js"
export * as AlertPolicy from "./Alert/AlertPolicy.js"
export * as AlertText from "./Alert/AlertText.js"
export * as ChannelRegistry from "./Alert/ChannelRegistry.js"
export { LogChannel } from "./Alert/AlertChannel/Log.js"
export * as Maintenance from "./Alert/Maintenance.js"
export * as Notifier from "./Alert/Notifier.js"

export * as Alerting from "./Monitor/Alerting.js"
export * as HealthMonitor from "./Monitor/HealthMonitor.js"
export * as Journal from "./Monitor/Journal.js"
export * as PatientJournal from "./Monitor/PatientJournal.js"

export * as Backup from "./Backup/Backup.js"
export * as BackupSchedule from "./Backup/BackupSchedule.js"
export * as BackupStore from "./Backup/BackupStore.js"
export * as BackupStrategy from "./Backup/BackupStrategy.js"
export * as DatabaseUrl from "./Common/DatabaseUrl.js"

// What the type of a layer names has to be in a module that a program imports, and not in a namespace of it: a
// program that emits declarations could not write it down.
export type { AlertingOptionsError } from "./Alert/AlertingOptionsError.js"
export type { ChannelConfigError, DuplicateChannelError } from "./Alert/AlertChannelError.js"
export type {
  ChannelRegistry as ChannelRegistryService,
  Registered as RegisteredChannel
} from "./Alert/ChannelRegistry.js"
export type { Notifier as NotifierService } from "./Alert/Notifier.js"
export type { Outbox } from "./Alert/Outbox.js"
export type { DeadManSwitch, Vitals } from "./Alert/Vitals.js"
export type { Backup as BackupService } from "./Backup/Backup.js"
export type { BackupScheduleError } from "./Backup/BackupSchedule.js"
export type { CheckConfigError, DuplicateCheckError } from "./Check/CheckError.js"
export type {
  CheckRegistry as CheckRegistryService,
  Registered as RegisteredCheck
} from "./Check/CheckRegistry.js"
export type { CheckRunner as CheckRunnerService } from "./Check/CheckRunner.js"
export type { DatabaseUrlError } from "./Common/DatabaseUrl.js"
export type { Beacon as BeaconService } from "./Lifecycle/Beacon.js"
export type { Lifecycle as LifecycleService } from "./Lifecycle/Lifecycle.js"
export type { PlanError } from "./Lifecycle/PlanError.js"
export type { Alerting as AlertingService } from "./Monitor/Alerting.js"
export type { HealthMonitor as HealthMonitorService } from "./Monitor/HealthMonitor.js"
export type { Journal as JournalService, JournalError } from "./Monitor/Journal.js"
