/**
 * What `holter silence`, `unsilence` and `ack` say once they have left their word. Pure.
 */
import type { DateTime } from "effect"
import * as WallTime from "../../Common/WallTime.js"
import type { Look } from "../Output.js"
import * as BackupPage from "../Backup/BackupPage.js"
import { onOneLine } from "../Presentation.js"
import * as Moments from "./moments.js"

export interface Silence {
  readonly id: string
  /** `null` is all of them. */
  readonly services: ReadonlyArray<string> | null
  readonly until: number
}

export const silenced = (
  { id, services, until }: Silence,
  now: number,
  look: Look,
  zone: DateTime.TimeZone
): ReadonlyArray<string> => {
  const whom = services === null ? "every service" : services.join(", ")
  return [
    `${BackupPage.good(look)} Nobody is told of ${whom} until ${WallTime.shown(until, zone)} (${Moments.lasting(until - now)}): silence ${id}`,
    `   Checks go on, and an end that somebody is owed is told. What is down then is told then.`,
    `   holter unsilence ${id} ends it before`
  ]
}

export const unsilenced = (ids: ReadonlyArray<string>, look: Look): ReadonlyArray<string> => [
  `${BackupPage.good(look)} Ended: ${ids.map((id) => `silence ${id}`).join(", ")}. What is down is told now`
]

export const acknowledged = (service: string, by: string, look: Look): ReadonlyArray<string> => [
  `${BackupPage.good(look)} ${onOneLine(by)} acknowledged the incident of ${service}: no more reminders, unless it becomes worse`
]

/** Who acts on it, and when. */
export const taking = (runs: boolean, look: Look): ReadonlyArray<string> =>
  runs
    ? ["   holter watch takes this within some 5 seconds"]
    : [
        `${BackupPage.warning(look)} holter watch does not seem to run: it takes this when it starts, and until then nothing is checked or told at all`
      ]
