/**
 * Holter: health checks as plugins. Namespaces only; plugins have entry points of their own
 * (`holter/plugins/Redis`), so that a program loads only the drivers that it uses.
 *
 * @since 0.1.0
 */
export * as Alert from "./Alert/Alert.js"
export * as AlertChannel from "./Alert/AlertChannel.js"
export * as AlertChannelError from "./Alert/AlertChannelError.js"
export * as AlertPolicy from "./Alert/AlertPolicy.js"
export * as AlertText from "./Alert/AlertText.js"
export * as ChannelRegistry from "./Alert/ChannelRegistry.js"
export * as LogChannel from "./Alert/AlertChannel/Log.js"
export * as Maintenance from "./Alert/Maintenance.js"
export * as Notifier from "./Alert/Notifier.js"
export * as Outbox from "./Alert/Outbox.js"
export * as Routes from "./Alert/Routes.js"
export * as Check from "./Check/Check.js"
export * as CheckError from "./Check/CheckError.js"
export * as CheckPolicy from "./Check/CheckPolicy.js"
export * as CheckRegistry from "./Check/CheckRegistry.js"
export * as CheckResult from "./Check/CheckResult.js"
export * as CheckRunner from "./Check/CheckRunner.js"
export * as ConfigField from "./Check/ConfigField.js"
export * as Outcome from "./Check/Outcome.js"
export * as DatabaseUrl from "./Common/DatabaseUrl.js"
export * as Secrets from "./Common/Secrets.js"
export * as HealthMonitor from "./Monitor/HealthMonitor.js"
export * as HealthState from "./Monitor/HealthState.js"
export * as Journal from "./Monitor/Journal.js"
export * as StatusSummary from "./Monitor/StatusSummary.js"
