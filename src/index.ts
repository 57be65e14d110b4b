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
