/**
 * Which channels are told of which severity, and who stands in for a channel that is disabled.
 * Pure.
 */
import { Schema } from "effect"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as ConfigIssues from "../Plugin/ConfigIssues.js"
import { Severity } from "./Alert.js"

export const Route = Schema.Struct({
  severity: Severity,
  /** Names of channels. */
  to: Schema.Array(Schema.String),
  /** The channel that is told in the place of one that is disabled. */
  fallback: Schema.optional(Schema.String)
})

export type Route = typeof Route.Type

export type Routes = ReadonlyArray<Route>

/** The channel that is always there. */
export const logChannel = "log"

/**
 * Where nothing is configured: Telegram for what is unhealthy, when there is a chat; the log for
 * what is informational, and for everything when there is no chat.
 */
export const defaults = (telegram?: string): Routes => [
  telegram === undefined
    ? { severity: "unhealthy", to: [logChannel] }
    : { severity: "unhealthy", to: [telegram], fallback: logChannel },
  { severity: "degraded", to: [logChannel] }
]

/** Where a program names no routes: every channel gets both severities. */
export const toAll = (channels: ReadonlyArray<string>): Routes =>
  Severity.literals.map((severity) => ({ severity, to: channels }))

/** The severities that no route takes. */
export const untaken = (routes: Routes): ReadonlyArray<Severity> =>
  Severity.literals.filter((severity) => !routes.some((route) => route.severity === severity))

/**
 * Who is told of an incident of this severity. A disabled channel is replaced by its fallback; one
 * that has none stays, and is told when it returns.
 */
export const targets = (
  routes: Routes,
  severity: Severity,
  isDisabled: (channel: string) => boolean
): ReadonlyArray<string> => {
  const all = new Set<string>()
  for (const route of routes) {
    if (route.severity !== severity) continue
    for (const channel of route.to) all.add(standIn(route, channel, isDisabled) ?? channel)
  }
  return [...all]
}

/** The channel that stands in for this one, which is disabled, at this severity. */
export const fallback = (
  routes: Routes,
  severity: Severity,
  channel: string,
  isDisabled: (channel: string) => boolean
): string | undefined => {
  for (const route of routes) {
    if (route.severity !== severity || !route.to.includes(channel)) continue
    const other = standIn(route, channel, isDisabled)
    if (other !== undefined && other !== channel) return other
  }
  return undefined
}

/** Whether any route leads to this channel, as a fallback at least. */
export const names = (routes: Routes, channel: string): boolean =>
  routes.some(({ fallback: other, to }) => other === channel || to.includes(channel))

/**
 * The disabled channel whose alerts of this severity go to this one; `null` where a route names this one
 * itself.
 */
export const insteadOf = (
  routes: Routes,
  severity: Severity,
  channel: string,
  isDisabled: (channel: string) => boolean
): string | null => {
  const own = routes.filter((route) => route.severity === severity)
  if (own.some(({ to }) => to.includes(channel))) return null
  const replaced = own.flatMap((route) =>
    route.to.filter((name) => name !== channel && standIn(route, name, isDisabled) === channel)
  )
  return replaced[0] ?? null
}

/** The channels of a route. `undefined` stands for one of which it is not known what was meant. */
export interface Named {
  readonly to: ReadonlyArray<string | undefined>
  readonly fallback?: string | undefined
}

/** Everything that is wrong with the routes, all at once. */
export const issues = (
  routes: ReadonlyArray<Route | Named>,
  channels: ReadonlyArray<string>,
  path: ReadonlyArray<string> = ["alerts", "routes"],
  scrub: (text: string) => string = (text) => text
): ReadonlyArray<ConfigIssue> => {
  const known = [...new Set([...channels, logChannel])]
  const expected = `the name of a channel (known: ${known.join(", ")})`
  return routes.flatMap((route, index) => {
    const at = [...path, String(index)]
    const unknown = (
      name: string | undefined,
      where: ReadonlyArray<string>
    ): ReadonlyArray<ConfigIssue> =>
      name === undefined || known.includes(name)
        ? []
        : [{ path: where, expected, found: ConfigIssues.show(name, scrub) }]
    const { fallback: other } = route
    return [
      ...(route.to.length === 0
        ? [{ path: [...at, "to"], expected: "at least one channel", found: "an empty list" }]
        : []),
      ...route.to.flatMap((name, position) => unknown(name, [...at, "to", String(position)])),
      ...(other === undefined ? [] : unknown(other, [...at, "fallback"])),
      ...(other !== undefined && route.to.includes(other)
        ? [
            {
              path: [...at, "fallback"],
              expected: "a channel that the route does not go to anyway",
              found: ConfigIssues.show(other, scrub)
            }
          ]
        : [])
    ]
  })
}

const standIn = (
  route: Route,
  channel: string,
  isDisabled: (channel: string) => boolean
): string | undefined => {
  if (!isDisabled(channel)) return channel
  const other = route.fallback
  return other === undefined || isDisabled(other) ? undefined : other
}
