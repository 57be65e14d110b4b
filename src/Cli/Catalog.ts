/**
 * The checks and channels that the command line knows by their type, and the backup strategies of plugins. A plugin is loaded when it is needed:
 * nobody pays for a driver that no service uses.
 */
import { pathToFileURL } from "node:url"
import { Effect } from "effect"
import type * as AlertChannel from "../Alert/AlertChannel.js"
import type { Definition } from "../Backup/BackupStrategy/Definition.js"
import * as Check from "../Check/Check.js"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as PluginPath from "./PluginPath.js"
import { messageOf } from "../Common/Errors.js"

type Load<A> = () => Promise<A>

/** Check types by name, in the order in which lists show them. */
export type Checks = ReadonlyMap<string, Load<Check.Any>>

/** The same for channels: a check and a channel may have one name. */
export type Channels = ReadonlyMap<string, Load<AlertChannel.Any>>

/** Strategies of backups by the scheme of their URLs; those of plugins alone. */
export type Strategies = ReadonlyMap<string, Definition>

export interface Catalog {
  readonly checks: Checks
  readonly channels: Channels
  readonly strategies: Strategies
}

export const builtIn: Checks = new Map<string, Load<Check.Any>>([
  ["telegram", () => import("../plugins/Telegram.js").then((module) => module.Telegram)],
  ["dmarket", () => import("../plugins/DMarket.js").then((module) => module.DMarket)],
  ["database", () => import("../plugins/Database.js").then((module) => module.Database)],
  ["redis", () => import("../plugins/Redis.js").then((module) => module.Redis)],
  ["http", () => import("../plugins/Http.js").then((module) => module.Http)],
  ["tcp", () => import("../plugins/Tcp.js").then((module) => module.Tcp)],
  ["dns", () => import("../plugins/Dns.js").then((module) => module.Dns)],
  ["tls", () => import("../plugins/TlsCertificate.js").then((module) => module.TlsCertificate)],
  ["disk", () => import("../plugins/Disk.js").then((module) => module.Disk)],
  ["memory", () => import("../plugins/Memory.js").then((module) => module.Memory)],
  ["event_loop", () => import("../plugins/EventLoop.js").then((module) => module.EventLoop)],
  [
    "backup_freshness",
    () => import("../plugins/BackupFreshness.js").then((module) => module.BackupFreshness)
  ]
])

export const builtInChannels: Channels = new Map<string, Load<AlertChannel.Any>>([
  ["log", () => import("../Alert/AlertChannel/Log.js").then((module) => module.LogChannel)],
  ["telegram", () => import("../plugins/Telegram.js").then((module) => module.TelegramChannel)],
  ["webhook", () => import("../plugins/Webhook.js").then((module) => module.WebhookChannel)],
  ["command", () => import("../plugins/Command.js").then((module) => module.Command)]
])

/** The types, in words; where not all plugins could be loaded, another one may be one of theirs. */
export const oneOf = (types: ReadonlyMap<string, unknown>, complete: boolean): string =>
  `one of ${[...types.keys()].join(", ")}${complete ? "" : ", or of a plugin that could not be loaded (see plugins)"}`

/** The check of a type. Loading a built-in one fails only when the installation is broken. */
export const load = (plugin: Load<Check.Any>): Effect.Effect<Check.Any> => Effect.promise(plugin)

export const loadChannel = (plugin: Load<AlertChannel.Any>): Effect.Effect<AlertChannel.Any> =>
  Effect.promise(plugin)

export interface Found {
  /** With what could be loaded. */
  readonly catalog: Catalog
  readonly issues: ReadonlyArray<ConfigIssue>
}

/**
 * The catalog with the checks and channels of other packages. A name is looked up from where the
 * configuration file lies, so that a globally installed `holter` finds the plugins of the project.
 * What is no name is left out here: the file's own shape tells of it.
 */
export const withPlugins = (
  plugins: ReadonlyArray<unknown>,
  configFile: string
): Effect.Effect<Found> =>
  Effect.gen(function* () {
    const [issues, modules] = yield* Effect.partition(
      plugins.flatMap((name, index) =>
        typeof name === "string" && name !== "" ? [{ name, index }] : []
      ),
      ({ index, name }) =>
        Effect.mapError(loadModule(name, configFile), (found) => ({
          path: ["plugins", String(index)],
          expected:
            "a package or a file that exports at least one check, channel or backup strategy, made with Check.make, AlertChannel.make or BackupStrategy.define",
          found
        }))
    )
    const checks = added(
      builtIn,
      modules.flatMap((module) => module.checks)
    )
    const channels = added(
      builtInChannels,
      modules.flatMap((module) => module.channels)
    )
    const strategies = modules.flatMap((module) => module.strategies)
    const schemes = strategies.map(({ scheme }) => scheme)
    const clashes = [
      ...schemes
        .filter((scheme, index) => isBuiltIn(scheme) || schemes.indexOf(scheme) !== index)
        .map((scheme) => clash("strategy", scheme)),
      ...checks.clashes.map((type) => clash("check", type)),
      ...channels.clashes.map((type) => clash("channel", type))
    ]
    return {
      catalog: {
        checks: checks.all,
        channels: channels.all,
        strategies: new Map(strategies.map((one) => [one.scheme, one]))
      },
      issues: [...issues, ...clashes]
    }
  })

const added = <A extends { readonly type: string }>(
  known: ReadonlyMap<string, Load<A>>,
  others: ReadonlyArray<A>
) => ({
  all: new Map([
    ...known,
    ...others.map((one): [string, Load<A>] => [one.type, () => Promise.resolve(one)])
  ]),
  clashes: others
    .filter(
      ({ type }, index) =>
        known.has(type) || others.findIndex((other) => other.type === type) !== index
    )
    .map(({ type }) => type)
})

const clash = (what: "check" | "channel" | "strategy", type: string): ConfigIssue =>
  what === "strategy"
    ? {
        path: ["plugins"],
        expected: "every backup strategy to have a scheme of its own, which is none of Holter's",
        found: `another one for "${type}:"`
      }
    : {
        path: ["plugins"],
        expected: `every ${what} to have a type of its own`,
        found: `two ${what}s of type "${type}"`
      }

const isBuiltIn = (scheme: string): boolean =>
  !/^[a-z][a-z0-9+._-]*$/.test(scheme) || /^(?:postgres|postgresql|sqlite3?)(?:\+|$)/.test(scheme)

interface Module {
  readonly checks: ReadonlyArray<Check.Any>
  readonly channels: ReadonlyArray<AlertChannel.Any>
  readonly strategies: ReadonlyArray<Definition>
}

const loadModule = (name: string, configFile: string): Effect.Effect<Module, string> =>
  Effect.gen(function* () {
    const file = yield* Effect.try({
      try: () => PluginPath.resolve(name, configFile),
      catch: () => `"${name}", which cannot be found from ${configFile}`
    })
    const module = yield* Effect.tryPromise({
      try: (): Promise<Record<string, unknown>> => import(pathToFileURL(file).href),
      catch: (error) => `"${name}", which fails to load: ${firstLine(error)}`
    })
    const { isAlertChannel } = yield* Effect.promise(() => import("../Alert/AlertChannel.js"))
    const exported = [...new Set(Object.values(module))]
    const checks = exported.filter(Check.isCheck)
    const { isDefinition } = yield* Effect.promise(
      () => import("../Backup/BackupStrategy/Definition.js")
    )
    const channels = exported.filter(isAlertChannel)
    const strategies = exported.filter(isDefinition)
    return checks.length + channels.length + strategies.length > 0
      ? { checks, channels, strategies }
      : yield* Effect.fail(`"${name}", which exports none of them`)
  })

const firstLine = (error: unknown): string => messageOf(error).split("\n", 1).join("")
