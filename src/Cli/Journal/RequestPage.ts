/**
 * What `holter silence`, `unsilence`, `maintenance` and `ack` say once they have left their word. Pure.
 */
import type { DateTime } from "effect"
import * as WallTime from "../../Common/WallTime.js"
import type { Look } from "../Output.js"
import * as BackupPage from "../Backup/BackupPage.js"
import { onOneLine } from "../Presentation.js"
import type { Maintenance } from "./Maintenances.js"
import * as Suppressions from "./Suppressions.js"
import * as Format from "../../Common/Format.js"

export interface Silence {
  readonly id: string
  /** `null` is all of them. */
  readonly services: ReadonlyArray<string> | null
  readonly until: number
}

/** A maintenance that loses services: all of them, or some. */
interface Changed {
  readonly maintenance: Maintenance
  /** The services that stay in it. */
  readonly rest: ReadonlyArray<string>
}

export const silenced = (
  { id, services, until }: Silence,
  now: number,
  look: Look,
  zone: DateTime.TimeZone
): ReadonlyArray<string> => {
  return [
    `${BackupPage.good(look)} No messages about ${Suppressions.whom(services)} until ${WallTime.shown(until, zone)} (${Format.about(until - now)}): silence ${id}`,
    `   Checks go on, and channels that know an incident get its end. Services that are still down at that time are sent then.`,
    `   holter unsilence ${id} ends it before`
  ]
}

export const unsilenced = (ids: ReadonlyArray<string>, look: Look): ReadonlyArray<string> => [
  `${BackupPage.good(look)} Ended: ${ids.map((id) => `silence ${id}`).join(", ")}. Services that are down are sent now`
]

export const maintained = (
  { id, services, until, why }: Silence & Pick<Maintenance, "why">,
  now: number,
  look: Look,
  zone: DateTime.TimeZone
): ReadonlyArray<string> => [
  `${BackupPage.good(look)} Maintenance of ${Suppressions.whom(services)} until ${WallTime.shown(until, zone)} (${Format.about(until - now)}): ${id} (${onOneLine(why)})`,
  `   Checks go on, and channels that know an incident get its end. Services that are still down when it ends are sent then.`,
  `   ${["holter maintenance stop", ...(services ?? ["--all"])].join(" ")} ends it before`
]

export const unmaintained = (
  changed: ReadonlyArray<Changed>,
  windows: ReadonlyArray<Maintenance>,
  look: Look,
  zone: DateTime.TimeZone
): ReadonlyArray<string> => [
  ...changed.map(({ maintenance: { id, services }, rest }) =>
    rest.length === 0
      ? `${BackupPage.good(look)} Ended: maintenance ${id} of ${Suppressions.whom(services)}. Services that are down are sent now`
      : `${BackupPage.good(look)} Maintenance ${id} goes on for ${rest.join(", ")} only. Other services that are down are sent now`
  ),
  ...windows.map((window) => `${BackupPage.warning(look)} ${stillOpen(window, zone)}`)
]

export const noMaintenance = (
  services: ReadonlyArray<string>,
  windows: ReadonlyArray<Maintenance>,
  zone: DateTime.TimeZone
): string => {
  const what = services.length === 0 ? "no maintenance" : `no maintenance of ${services.join(", ")}`
  return [
    `holter: there is ${what} that was begun by hand`,
    ...windows.map((window) => stillOpen(window, zone))
  ].join(". ")
}

const stillOpen = ({ services, until, why }: Maintenance, zone: DateTime.TimeZone): string => {
  const end = until === null ? "its end" : WallTime.shown(until, zone)
  return `The window "${onOneLine(why)}" of the configuration, of ${Suppressions.whom(services)}, is open until ${end}: change it in the file, and reload`
}

export const acknowledged = (service: string, by: string, look: Look): ReadonlyArray<string> => [
  `${BackupPage.good(look)} ${onOneLine(by)} acknowledged the incident of ${service}: no more reminders, unless it becomes worse`
]

/** Who acts on it, and when. */
export const taking = (runs: boolean, look: Look): ReadonlyArray<string> =>
  runs
    ? ["   holter watch takes this within some 5 seconds"]
    : [
        `${BackupPage.warning(look)} holter watch does not seem to run: it takes this when it starts, and until then nothing is checked or sent at all`
      ]
