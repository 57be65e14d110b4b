/**
 * What another configuration changes, in words. Pure.
 */
import type { Difference, Piece } from "./Pieces.js"
import { same } from "./Pieces.js"
import type { WatchSettings } from "./WatchSettings.js"

export interface Facts {
  /** Of the start: what needs a restart is as it was then. */
  readonly first: WatchSettings
  readonly next: WatchSettings
  readonly checks: Difference<Piece>
  readonly channels: Difference<Piece>
  readonly deadMan: Difference<Piece>
  readonly backups: Difference<Piece>
}

export const text = (facts: Facts): string => {
  const { backups, channels, checks, deadMan, next } = facts
  const parts = [
    ...counted("checks", checks),
    ...counted("channels", channels),
    ...counted("dead man's switch", deadMan),
    ...counted("scheduled backups", backups)
  ]
  const changed = parts.length === 0 ? "No check and no channel is another" : parts.join("; ")
  const restart = needsRestart(facts)
  const advice =
    restart.length === 0
      ? ""
      : `. For what is new in ${restart.join(" and ")} it needs a restart; until then that is as before`
  return `The configuration (${next.configuration.source}) was read again. ${changed}${advice}`
}

const counted = (
  what: string,
  { added, changed, kept, removed }: Difference<Piece>
): ReadonlyArray<string> => {
  const named = (word: string, names: ReadonlyArray<string>) =>
    names.length === 0 ? [] : [`${names.length} ${word} (${names.join(", ")})`]
  const parts = [
    ...named(
      "new",
      added.map(({ name }) => name)
    ),
    ...named(
      "changed",
      changed.map(({ name }) => name)
    ),
    ...named("removed", removed)
  ]
  if (parts.length === 0) return []
  return [
    `${what}: ${[...parts, ...(kept.length === 0 ? [] : [`${kept.length} as before`])].join(", ")}`
  ]
}

/** The journal and its lease are held, and the plan of the shutdown is made, for as long as it runs. */
const needsRestart = ({ first, next }: Facts): ReadonlyArray<string> => [
  ...(same(first.configuration.journal, next.configuration.journal) ? [] : ["journal"]),
  ...(same(first.time, next.time) && same(first.configuration.shutdown, next.configuration.shutdown)
    ? []
    : ["shutdown"])
]
