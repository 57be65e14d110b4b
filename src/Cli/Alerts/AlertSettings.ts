/**
 * What alerts are configured to do: the `alerts` section, the environment and the defaults brought
 * together, and everything that is wrong in them.
 */
import { Duration, Effect, Either, Layer } from "effect"
import type { DuplicateChannelError } from "../../Alert/AlertChannelError.js"
import * as AlertChannelError from "../../Alert/AlertChannelError.js"
import * as AlertPolicy from "../../Alert/AlertPolicy.js"
import { ChannelRegistry } from "../../Alert/ChannelRegistry.js"
import * as Maintenance from "../../Alert/Maintenance.js"
import * as Routes from "../../Alert/Routes.js"
import type { ConfigIssue } from "../../Check/CheckError.js"
import * as ConfigIssues from "../../Check/ConfigIssues.js"
import type * as Secrets from "../../Common/Secrets.js"
import type * as DeadMan from "../../plugins/DeadMan.js"
import type { Service } from "../Service.js"
import * as AlertsSection from "./AlertsSection.js"
import * as ChannelEntry from "./ChannelEntry.js"

export interface AlertSettings {
  /** All channels of the file, `log`, and `telegram` where the environment names a chat. */
  readonly channels: Layer.Layer<never, DuplicateChannelError, ChannelRegistry>
  readonly names: ReadonlyArray<string>
  /** The thresholds of the checks, the routes, the limits. */
  readonly policy: AlertPolicy.Policy
  readonly maintenance: ReadonlyArray<Maintenance.Window>
  readonly deadMan: DeadMan.Settings | undefined
  /** What is allowed and hardly meant. */
  readonly warnings: ReadonlyArray<string>
}

/** The settings, once it is known which services there are. */
export type Decoded = (services: ReadonlyArray<Service>) => AlertSettings

export interface Options extends ChannelEntry.Options {
  readonly secrets: Secrets.Secrets
  /** The names of services that the section may speak of. */
  readonly services: ReadonlyArray<string>
}

export const decode = (
  content: unknown,
  options: Options
): Effect.Effect<Decoded, ReadonlyArray<ConfigIssue>> =>
  Effect.gen(function* () {
    const { issues, section } = AlertsSection.decode(content, options.interpolated, options.scrub)
    const isWrong = (part: keyof AlertsSection.AlertsSection) =>
      issues.some(({ path }) => path[1] === part || path.length === 1)
    const entries = withDefaults(section.channels ?? {}, options.environment)
    const [wrong, channels] = yield* Effect.partition(Object.entries(entries), ([name, entry]) =>
      ChannelEntry.make(name, entry, options)
    )
    const names = Object.keys(entries)
    const routes = section.routes ?? Routes.defaults(telegramOf(entries))
    const windows = (section.maintenance ?? []).map((settings, index) =>
      Maintenance.make(settings, ["alerts", "maintenance", String(index)], options.services)
    )
    const all = [
      ...issues,
      ...(isWrong("channels") ? [] : [...wrong.flat(), ...reserved(section.channels ?? {})]),
      ...(isWrong("channels") ? [] : unknownChannels(routes, names, options.scrub)),
      ...windows.flatMap((window) => (Either.isLeft(window) ? window.left : [])),
      ...sameNames(section.maintenance ?? [], options.scrub),
      ...hasty(section.deadMan)
    ]
    if (all.length > 0) return yield* Effect.fail(all)
    const unused = names.filter((name) => name !== Routes.logChannel && !isUsed(routes, name))
    return (services): AlertSettings => ({
      channels: Layer.provide(
        Layer.mergeAll(Layer.empty, ...channels.map(({ layer }) => layer)),
        hiding(options.secrets)
      ),
      names,
      policy: AlertPolicy.make({
        ...section.limits,
        checks: services,
        routes,
        channels: Object.fromEntries(
          channels.flatMap(({ name, rules }) =>
            Object.keys(rules).length === 0 ? [] : [[name, rules]]
          )
        )
      }),
      maintenance: windows.flatMap((window) => (Either.isRight(window) ? [window.right] : [])),
      deadMan: section.deadMan,
      warnings: unused.map(
        (name) => `alerts.channels.${name}: no route leads to it, so it is told nothing`
      )
    })
  })

type Entries = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** The channels that are there without a word of the file. */
const withDefaults = (entries: Entries, environment: ReadonlyMap<string, string>): Entries => ({
  ...entries,
  ...(entries["telegram"] === undefined &&
  !Object.values(entries).some(isTelegram) &&
  environment.has("TELEGRAM_BOT_TOKEN") &&
  environment.has("ADMIN_TELEGRAM_CHAT_ID")
    ? { telegram: { type: "telegram" } }
    : {}),
  [Routes.logChannel]: { type: Routes.logChannel, ...entries[Routes.logChannel] }
})

const isTelegram = ({ type }: Readonly<Record<string, unknown>>): boolean => type === "telegram"

/** Where no routes are configured: the chat that is told of what is unhealthy. */
const telegramOf = (entries: Entries): string | undefined =>
  Object.keys(entries).find((name) => entries[name]?.["type"] === "telegram")

/** Routes without a configuration lead to it, so it has to be what it is called. */
const reserved = (entries: Entries): ReadonlyArray<ConfigIssue> => {
  const type = entries[Routes.logChannel]?.["type"]
  return type === undefined || type === Routes.logChannel
    ? []
    : [
        {
          path: ["alerts", "channels", Routes.logChannel, "type"],
          expected: "log, as the channel log is always there (give this one another name)",
          found: JSON.stringify(type)
        }
      ]
}

const isUsed = (routes: Routes.Routes, name: string): boolean =>
  routes.some(({ fallback, to }) => fallback === name || to.includes(name))

const unknownChannels = (
  routes: Routes.Routes,
  names: ReadonlyArray<string>,
  scrub: (text: string) => string
): ReadonlyArray<ConfigIssue> => {
  const expected = `the name of a channel (known: ${names.join(", ")})`
  const issue = (path: ReadonlyArray<string>, name: string): ReadonlyArray<ConfigIssue> =>
    names.includes(name) ? [] : [{ path, expected, found: ConfigIssues.show(name, scrub) }]
  return routes.flatMap(({ fallback, to }, index) => {
    const path = ["alerts", "routes", String(index)]
    return [
      ...to.flatMap((name, place) => issue([...path, "to", String(place)], name)),
      ...(fallback === undefined ? [] : issue([...path, "fallback"], fallback))
    ]
  })
}

/** By its name it is known whether a window is open. */
const sameNames = (
  windows: ReadonlyArray<Maintenance.Settings>,
  scrub: (text: string) => string
): ReadonlyArray<ConfigIssue> =>
  windows.flatMap(({ name }, index) =>
    windows.findIndex((other) => other.name === name) === index
      ? []
      : [
          {
            path: ["alerts", "maintenance", String(index), "name"],
            expected: "a name that no other window has",
            found: ConfigIssues.show(name, scrub)
          }
        ]
  )

const hasty = (deadMan: DeadMan.Settings | undefined): ReadonlyArray<ConfigIssue> =>
  deadMan === undefined || Duration.greaterThanOrEqualTo(deadMan.interval, deadMan.timeout)
    ? []
    : [
        {
          path: ["alerts", "deadMan", "interval"],
          expected: `at least the timeout of a ping (${Duration.format(deadMan.timeout)})`,
          found: Duration.format(deadMan.interval)
        }
      ]

/** A receiver may quote the secret of another service: every channel hides all of them. */
const hiding = (secrets: Secrets.Secrets): Layer.Layer<ChannelRegistry, never, ChannelRegistry> =>
  Layer.effect(
    ChannelRegistry,
    Effect.map(ChannelRegistry, (registry) => ({
      ...registry,
      register: (channel) =>
        registry.register({
          ...channel,
          send: (alert) => Effect.mapError(channel.send(alert), AlertChannelError.scrubbed(secrets))
        })
    }))
  )
