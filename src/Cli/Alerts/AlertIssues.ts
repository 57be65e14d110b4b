/**
 * What is wrong in the `alerts` section beyond its shape: names that lead nowhere, times that do not
 * exist. It is looked for in whatever is right of the section, so that all of it is told at once. Pure.
 */
import { Duration, Either, Predicate, Schema } from "effect"
import * as Maintenance from "../../Alert/Maintenance.js"
import * as Routes from "../../Alert/Routes.js"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import * as ConfigIssues from "../../Plugin/ConfigIssues.js"
import * as DeadMan from "../../plugins/DeadMan.js"
import * as Section from "../Section.js"

export interface Options extends Section.Reading {
  /** The names of services that the section may speak of. */
  readonly services: ReadonlyArray<string>
  /** The names of channels; unknown where the channels are no mapping. */
  readonly channels: ReadonlyArray<string> | undefined
}

type Issues = ReadonlyArray<ConfigIssue>
type Fields = Readonly<Record<string, unknown>>

export const issues = (content: unknown, options: Options): Issues => {
  const section: Fields = Predicate.isRecord(content) ? content : {}
  const windows = itemsOf(section["maintenance"])
  return [
    ...ofRoutes(itemsOf(section["routes"]), options),
    ...windows.flatMap((window, index) => ofWindow(window, index, options)),
    ...sameNames(windows, options),
    ...hasty(section["deadMan"], options)
  ]
}

const itemsOf = (list: unknown): ReadonlyArray<unknown> => (Array.isArray(list) ? list : [])

const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined)

const ofRoutes = (routes: ReadonlyArray<unknown>, { channels, scrub }: Options): Issues => {
  const named = routes.map((route): Routes.Named => {
    const { fallback, to }: Fields = Predicate.isRecord(route) ? route : {}
    return { to: Array.isArray(to) ? to.map(text) : [undefined], fallback: text(fallback) }
  })
  const mentioned = named.flatMap(({ fallback, to }) => [fallback, ...to])
  const known = channels ?? mentioned.filter((name) => name !== undefined)
  return Routes.issues(named, known, ["alerts", "routes"], scrub)
}

const ofWindow = (window: unknown, index: number, options: Options): Issues => {
  if (!Predicate.isRecord(window)) return []
  const path = ["alerts", "maintenance", String(index)]
  const decode = Section.decodeAt(Maintenance.Settings, path, options)
  const decoded = Either.orElse(decode(window), (wrong) =>
    decode(filled(window, new Set(wrong.map((issue) => issue.path[path.length] ?? ""))))
  )
  const made = Either.flatMap(decoded, (settings) =>
    Maintenance.make(settings, path, options.services)
  )
  return Section.issuesOf(made)
}

/** In the place of what is wrong: something of which there is nothing to tell. */
const placeholders = (window: Fields): Fields => ({
  name: "window",
  ...(window["schedule"] === undefined &&
  (window["from"] !== undefined || window["until"] !== undefined)
    ? { from: "2000-01-01 00:00", until: "2100-01-01 00:00" }
    : { schedule: "0 0 * * *", duration: "1 hour" })
})

const filled = (window: Fields, wrong: ReadonlySet<string>): Fields => {
  const others = placeholders(window)
  const fields = { ...window }
  for (const name of wrong) {
    if (others[name] === undefined) delete fields[name]
    else fields[name] = others[name]
  }
  // A key that is none may have been meant for the one that is missing.
  const isMisspelt = [...wrong].some((name) => !Object.hasOwn(Maintenance.Settings.fields, name))
  return isMisspelt ? { ...others, ...fields } : fields
}

/** By its name it is known whether a window is open. */
const sameNames = (windows: ReadonlyArray<unknown>, { scrub }: Options): Issues => {
  const names = windows.map((window) =>
    Predicate.isRecord(window) ? text(window["name"]) : undefined
  )
  return names.flatMap((name, index) =>
    name === undefined || names.indexOf(name) === index
      ? []
      : [
          {
            path: ["alerts", "maintenance", String(index), "name"],
            expected: "a name that no other window has",
            found: ConfigIssues.show(name, scrub)
          }
        ]
  )
}

const { interval, timeout } = DeadMan.Settings.fields
const Times = Schema.Struct({ interval, timeout })

const hasty = (deadMan: unknown, options: Options): Issues => {
  if (!Predicate.isRecord(deadMan)) return []
  const path = ["alerts", "deadMan"]
  const times = Section.decodeAt(
    Times,
    path,
    options
  )({
    interval: deadMan["interval"],
    timeout: deadMan["timeout"]
  })
  return Either.isLeft(times) ||
    Duration.greaterThanOrEqualTo(times.right.interval, times.right.timeout)
    ? []
    : [
        {
          path: [...path, "interval"],
          expected: `at least the timeout of a ping (${Duration.format(times.right.timeout)})`,
          found: Duration.format(times.right.interval)
        }
      ]
}
