/**
 * What a configuration has `holter watch` do, in words. Pure.
 */
import * as JournalAccess from "../Journal/JournalAccess.js"
import type { WatchSettings } from "./WatchSettings.js"

/** What is allowed and hardly meant, or not used at all. */
export const warnings = ({ alerts, configuration }: WatchSettings): ReadonlyArray<string> => [
  ...configuration.warnings,
  ...alerts.warnings
]

/** The services that are checked. */
export const watched = ({ configuration }: WatchSettings): ReadonlyArray<string> =>
  configuration.services.filter(({ configured }) => configured).map(({ name }) => name)

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
