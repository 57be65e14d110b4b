/**
 * What `holter config check` says of a configuration that can be used. Pure.
 */
import { Duration } from "effect"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import { good } from "../Backup/BackupPage.js"
import type { ConfigurationError } from "../ConfigurationError.js"
import type { Look } from "../Output.js"
import * as Summary from "../Watch/Summary.js"
import type { WatchSettings } from "../Watch/WatchSettings.js"
import * as Format from "../../Common/Format.js"

export const line = (settings: WatchSettings, look: Look): string => {
  const { alerts, configuration } = settings
  const counted = (names: ReadonlyArray<string>, thing: string) =>
    `${Format.many(names.length, thing)} (${names.join(", ")})`
  const some = (names: ReadonlyArray<string>, thing: string) =>
    names.length === 0 ? [] : [counted(names, thing)]
  const parts = [
    counted(Summary.watched(settings), "check"),
    counted(alerts.names, "channel"),
    ...Summary.schedules(settings),
    ...some(
      alerts.maintenance.map(({ name }) => name),
      "maintenance window"
    ),
    ...some(configuration.plugins, "plugin"),
    `journal ${Summary.journal(settings)}`
  ]
  return `${good(look)} The configuration (${configuration.source}) can be used: ${parts.join("; ")}`
}

/** The same for programs. */
export const document = (settings: WatchSettings) => {
  const { alerts, backups, configuration, time } = settings
  const { drill = null, schedule = null, timeZone = "UTC" } = backups?.settings.section ?? {}
  return {
    usable: true,
    source: configuration.source,
    name: configuration.name,
    checks: Summary.watched(settings),
    not_configured: configuration.services
      .filter(({ configured }) => !configured)
      .map(({ name }) => name),
    channels: alerts.names,
    schedules: { backup: schedule, drill, time_zone: timeZone },
    maintenance: alerts.maintenance.map(({ name }) => name),
    plugins: configuration.plugins,
    journal: Summary.journal(settings),
    shutdown: {
      grace_ms: Duration.toMillis(time.grace),
      lame_duck_ms: Duration.toMillis(time.lameDuck)
    },
    warnings: Summary.warnings(settings)
  }
}

/** Of one that cannot be used: each mistake by its path. */
export const refusal = ({ issues, source }: ConfigurationError) => ({
  usable: false,
  source,
  issues: issues.map(({ expected, found, path }: ConfigIssue) => ({
    path: path.join("."),
    expected,
    found
  }))
})
