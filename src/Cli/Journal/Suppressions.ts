/**
 * Maintenances and silences as documents and lines show them. Pure.
 */
import type { DateTime } from "effect"
import type { State } from "../../Alert/AlertPolicy.js"
import { onOneLine } from "../Presentation.js"
import * as Moments from "./moments.js"

export interface SuppressionDocument {
  readonly kind: "maintenance" | "silence"
  readonly id: string
  /** `null` is all of them. */
  readonly services: ReadonlyArray<string> | null
  readonly until: string | null
  readonly why: string
}

export const documents = ({ offset, quiets }: State): ReadonlyArray<SuppressionDocument> =>
  quiets.map(({ id, kind, services, until, why }) => ({
    kind: kind === "Silence" ? "silence" : "maintenance",
    id,
    services,
    until: until === null ? null : Moments.iso(until - offset),
    why
  }))

export const covers = ({ services }: SuppressionDocument, service: string): boolean =>
  services === null || services.includes(service)

/** `every service`, or their names. */
export const whom = (services: ReadonlyArray<string> | null): string =>
  services === null ? "every service" : services.join(", ")

/** `maintenance 1f2e3d4c, until 2025-12-11 03:00:00 (deploy)`. */
export const text = (
  { id, kind, until, why }: SuppressionDocument,
  zone: DateTime.TimeZone
): string => {
  const end = until === null ? "until it is ended" : `until ${Moments.shownIn(zone)(until)}`
  return `${kind} ${id}, ${end} (${onOneLine(why)})`
}
