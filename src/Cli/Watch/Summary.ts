/**
 * What a configuration has `holter watch` do, in words. Pure.
 */
import type { DateTime } from "effect"
import * as JournalAccess from "../Journal/JournalAccess.js"
import type { Service } from "../Service.js"
import type * as WatchState from "./WatchState.js"
import type { WatchSettings } from "./WatchSettings.js"

/** What is allowed and hardly meant, or not used at all. */
export const warnings = ({ alerts, configuration }: WatchSettings): ReadonlyArray<string> => [
  ...configuration.warnings,
  ...alerts.warnings
]

/** The services that are checked. */
export const services = ({ configuration }: WatchSettings): ReadonlyArray<Service> =>
  configuration.services.filter(({ configured }) => configured)

export const watched = (settings: WatchSettings): ReadonlyArray<string> =>
  services(settings).map(({ name }) => name)

/** What the board has rows for, and of what it says that nobody configured it. */
export const rows = (settings: WatchSettings, zone: DateTime.TimeZone): WatchState.Rows => ({
  name: settings.configuration.name,
  checks: services(settings).map(({ label, name, policy }) => ({
    name,
    label,
    critical: policy.critical
  })),
  notConfigured: settings.configuration.services
    .filter(({ configured }) => !configured)
    .map(({ label }) => label),
  zone
})

export const journal = ({ configuration }: WatchSettings): string =>
  JournalAccess.placeOf(configuration.journal.url)

/** When there are backups and drills; nothing where there are none. */
export const schedules = ({ backups }: WatchSettings): ReadonlyArray<string> => {
  if (backups === undefined) return []
  const { drill, schedule, timeZone = "UTC" } = backups.settings.section
  const parts = [
    ...(schedule === undefined ? [] : [`backups at "${schedule}"`]),
    ...(drill === undefined ? [] : [`drills at "${drill}"`])
  ]
  return [`${parts.join(", ")} (${timeZone})`]
}
