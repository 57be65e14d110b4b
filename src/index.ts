/**
 * Holter: health checks as plugins, and an orderly shutdown. Namespaces, and the two functions that
 * run a program. Plugins have entry points of their own (`holter/plugins/Redis`), so that a program
 * loads only the drivers that it uses.
 *
 * @since 0.1.0
 */
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
export * as Beacon from "./Lifecycle/Beacon.js"
export * as HttpDrain from "./Lifecycle/HttpDrain.js"
export { launch } from "./Lifecycle/launch.js"
export * as Lifecycle from "./Lifecycle/Lifecycle.js"
export * as Phase from "./Lifecycle/Phase.js"
export * as Plan from "./Lifecycle/Plan.js"
export * as PlanError from "./Lifecycle/PlanError.js"
export * as Reason from "./Lifecycle/Reason.js"
export { runMain } from "./Lifecycle/runMain.js"
export * as ShutdownReport from "./Lifecycle/ShutdownReport.js"
export * as StateStore from "./Lifecycle/StateStore.js"
export * as StateStoreError from "./Lifecycle/StateStoreError.js"
export * as StopRequest from "./Lifecycle/StopRequest.js"
export * as HealthMonitor from "./Monitor/HealthMonitor.js"
export * as HealthState from "./Monitor/HealthState.js"
export * as StatusSummary from "./Monitor/StatusSummary.js"
