/**
 * What alerts are configured to do: the `alerts` section, the environment and the defaults brought
 * together, and everything that is wrong in them.
 */
import { Effect, Either, Layer, Predicate } from "effect"
import type { DuplicateChannelError } from "../../Alert/AlertChannelError.js"
import * as AlertChannelError from "../../Alert/AlertChannelError.js"
import * as AlertPolicy from "../../Alert/AlertPolicy.js"
import { ChannelRegistry } from "../../Alert/ChannelRegistry.js"
import * as Maintenance from "../../Alert/Maintenance.js"
import * as Routes from "../../Alert/Routes.js"
import type * as ConfigSecrets from "../../Plugin/ConfigSecrets.js"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import * as Excerpt from "../../Common/Excerpt.js"
import type * as Secrets from "../../Common/Secrets.js"
import type * as DeadMan from "../../plugins/DeadMan.js"
import * as Section from "../Section.js"
import type { Service } from "../Service.js"
import * as AlertsSection from "./AlertsSection.js"
import * as ChannelEntry from "./ChannelEntry.js"
import * as AlertIssues from "./AlertIssues.js"

export interface AlertSettings {
  /** All channels of the file, `log`, and `telegram` where the environment names a chat. */
  readonly channels: ReadonlyArray<Pick<ChannelEntry.Channel, "name" | "entry" | "layer">>
  readonly names: ReadonlyArray<string>
  /** The routes, the limits, and the thresholds of the checks, also of those that are not registered yet. */
  readonly options: AlertPolicy.Options
  readonly policy: AlertPolicy.Policy
  readonly maintenance: ReadonlyArray<Maintenance.Window>
  readonly deadMan: DeadMan.Settings | undefined
  /** What is allowed and hardly meant. */
  readonly warnings: ReadonlyArray<string>
}

export interface Decoded {
  /** What the section holds that nobody may see, wherever it turns up. */
  readonly secrets: ReadonlyArray<ConfigSecrets.Found>
  /** The settings, once it is known which services there are, and all that is to be hidden. */
  readonly settings: (services: ReadonlyArray<Service>, secrets: Secrets.Secrets) => AlertSettings
}

export interface Options extends ChannelEntry.Options {
  /** The names of services that the section may speak of. */
  readonly services: ReadonlyArray<string>
}

export const decode = (
  content: unknown,
  options: Options
): Effect.Effect<Decoded, ReadonlyArray<ConfigIssue>> =>
  Effect.gen(function* () {
    const { services, variables } = options
    const decoded = AlertsSection.decode(content, options)
    const given = Predicate.isRecord(content) ? content["channels"] : undefined
    const named = Predicate.isRecord(given) ? given : {}
    const environment = yield* variables(["TELEGRAM_BOT_TOKEN", "ADMIN_TELEGRAM_CHAT_ID"])
    const entries = withDefaults(shaped(named), environment.values)
    const [wrong, channels] = yield* Effect.partition(Object.entries(entries), ([name, entry]) =>
      ChannelEntry.make(name, entry, options)
    )
    const names = [...new Set([...Object.keys(named), ...Object.keys(entries)])]
    const all = [
      ...Section.issuesOf(decoded),
      ...wrong.flat(),
      ...reserved(entries),
      ...AlertIssues.issues(content, {
        ...options,
        services,
        channels: given === undefined || Predicate.isRecord(given) ? names : undefined
      })
    ]
    if (Either.isLeft(decoded) || all.length > 0) return yield* Effect.fail(all)
    const section = decoded.right
    const routes = section.routes ?? Routes.defaults(telegramOf(entries))
    const windows = (section.maintenance ?? []).map((window) => Maintenance.make(window))
    const unused = names.filter((name) => name !== Routes.logChannel && !isUsed(routes, name))
    const settings = (services: ReadonlyArray<Service>, secrets: Secrets.Secrets) => {
      const limits: AlertPolicy.Options = {
        ...section.limits,
        timeZone: section.timeZone,
        checks: services,
        routes,
        channels: Object.fromEntries(
          channels.flatMap(({ name, rules }) =>
            Object.keys(rules).length === 0 ? [] : [[name, rules]]
          )
        )
      }
      return {
        channels: channels.map(({ entry, layer, name }) => ({
          name,
          entry,
          layer: Layer.provide(layer, hiding(secrets))
        })),
        names,
        options: limits,
        policy: AlertPolicy.make(limits),
        maintenance: windows.flatMap((window) => (Either.isRight(window) ? [window.right] : [])),
        deadMan: section.deadMan,
        warnings: unused.map(
          (name) => `alerts.channels.${name}: no route leads to it, so it gets nothing`
        )
      }
    }
    const ofDeadMan = [section.deadMan?.url, section.deadMan?.proxy].flatMap((one) => one ?? [])
    return { settings, secrets: [...channels.flatMap(({ secrets }) => secrets), ...ofDeadMan] }
  })

type Entries = Readonly<Record<string, Readonly<Record<string, unknown>>>>

/** The entries that have a type: of the others the shape of the section tells. */
const shaped = (channels: Readonly<Record<string, unknown>>): Entries =>
  Object.fromEntries(
    Object.entries(channels).flatMap(([name, entry]) =>
      Predicate.isRecord(entry) && typeof entry["type"] === "string" ? [[name, entry]] : []
    )
  )

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

/** All of them together. */
export const layerChannels = ({
  channels
}: AlertSettings): Layer.Layer<never, DuplicateChannelError, ChannelRegistry> =>
  Layer.mergeAll(Layer.empty, ...channels.map(({ layer }) => layer))

/** A receiver may quote the secret of another service: every channel hides all of them. */
export const hiding = (
  secrets: Secrets.Secrets
): Layer.Layer<ChannelRegistry, never, ChannelRegistry> =>
  Layer.effect(
    ChannelRegistry,
    Effect.map(ChannelRegistry, (registry) => ({
      ...registry,
      register: (channel) =>
        registry.register({
          ...channel,
          send: (alert) =>
            channel
              .send(alert)
              .pipe(Excerpt.knowing(secrets), Effect.mapError(AlertChannelError.scrubbed(secrets)))
        })
    }))
  )
