/**
 * The plugins that the command line knows, by kind and type. A module is loaded when one of its plugins is
 * needed: nobody pays for a driver that no service uses.
 */
import { pathToFileURL } from "node:url"
import { Effect } from "effect"
import type * as AlertChannel from "../Alert/AlertChannel.js"
import type { Definition } from "../Backup/BackupStrategy/Definition.js"
import type * as Check from "../Check/Check.js"
import { messageOf } from "../Common/Errors.js"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as Plugin from "../Plugin/Plugin.js"
import * as PluginPath from "./PluginPath.js"

interface Kinds {
  readonly check: Check.Any
  readonly channel: AlertChannel.Any
  readonly strategy: Definition
}

/** Plugins by type, in the order in which lists show them; each is loaded when it is asked for. */
export type Types<A> = ReadonlyMap<string, Effect.Effect<A>>

export interface Catalog {
  readonly checks: Types<Kinds["check"]>
  readonly channels: Types<Kinds["channel"]>
  /** By the scheme of their URLs; those of plugins alone, which are loaded. */
  readonly strategies: ReadonlyMap<string, Definition>
}

type Module = Readonly<Record<string, unknown>>

const isOf =
  <K extends Plugin.Kind>(kind: K) =>
  (value: unknown): value is Kinds[K] =>
    Plugin.kindOf(value) === kind

const typesOf = <K extends Plugin.Kind>(
  kind: K,
  modules: Readonly<Record<string, () => Promise<Module>>>
): Types<Kinds[K]> => {
  const isIt = isOf(kind)
  return new Map(
    Object.entries(modules).map(([type, load]) => [
      type,
      Effect.promise(load).pipe(
        Effect.map((module) =>
          Object.values(module)
            .filter(isIt)
            .find((one) => one.type === type)
        ),
        // Only a broken installation lacks one.
        Effect.flatMap((found) => Effect.orDie(Effect.fromNullable(found)))
      )
    ])
  )
}

const telegram = () => import("../plugins/Telegram.js")

/** A plugin that comes with Holter is a module and its line here, which the bundle has to see. */
export const builtIn: Catalog = {
  checks: typesOf("check", {
    telegram,
    dmarket: () => import("../plugins/DMarket.js"),
    database: () => import("../plugins/Database.js"),
    redis: () => import("../plugins/Redis.js"),
    http: () => import("../plugins/Http.js"),
    tcp: () => import("../plugins/Tcp.js"),
    dns: () => import("../plugins/Dns.js"),
    tls: () => import("../plugins/TlsCertificate.js"),
    disk: () => import("../plugins/Disk.js"),
    memory: () => import("../plugins/Memory.js"),
    event_loop: () => import("../plugins/EventLoop.js"),
    backup_freshness: () => import("../plugins/BackupFreshness.js")
  }),
  channels: typesOf("channel", {
    log: () => import("../Alert/AlertChannel/Log.js"),
    telegram,
    webhook: () => import("../plugins/Webhook.js"),
    command: () => import("../plugins/Command.js")
  }),
  strategies: new Map()
}

/** The types, in words; where not all plugins could be loaded, another one may be one of theirs. */
export const oneOf = (types: ReadonlyMap<string, unknown>, complete: boolean): string =>
  `one of ${[...types.keys()].join(", ")}${complete ? "" : ", or of a plugin that could not be loaded (see plugins)"}`

export interface Found {
  /** With what could be loaded. */
  readonly catalog: Catalog
  readonly issues: ReadonlyArray<ConfigIssue>
}

/**
 * The catalog with the plugins of other packages. A name is looked up from where the configuration file
 * lies, so that a globally installed `holter` finds the plugins of the project. What is no name is left
 * out here: the file's own shape tells of it.
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
    const found = modules.flat()
    const checks = found.filter(isOf("check"))
    const channels = found.filter(isOf("channel"))
    const strategies = found.filter(isOf("strategy"))
    return {
      catalog: {
        checks: added(builtIn.checks, checks),
        channels: added(builtIn.channels, channels),
        strategies: new Map(strategies.map((one) => [one.type, one]))
      },
      issues: [
        ...issues,
        ...clashes(strategies, isReserved).map(({ type }) => ({
          path: ["plugins"],
          expected: "every backup strategy to have a scheme of its own, which is none of Holter's",
          found: `another one for "${type}:"`
        })),
        ...clashes(checks, (type) => builtIn.checks.has(type)).map(twice("check")),
        ...clashes(channels, (type) => builtIn.channels.has(type)).map(twice("channel"))
      ]
    }
  })

const added = <A extends { readonly type: string }>(
  known: Types<A>,
  others: ReadonlyArray<A>
): Types<A> => new Map([...known, ...others.map((one) => [one.type, Effect.succeed(one)] as const)])

/** Those of a type that another one has. */
const clashes = <A extends { readonly type: string }>(
  plugins: ReadonlyArray<A>,
  isTaken: (type: string) => boolean
): ReadonlyArray<A> =>
  plugins.filter(
    ({ type }, index) =>
      isTaken(type) || plugins.findIndex((other) => other.type === type) !== index
  )

const twice =
  (kind: Plugin.Kind) =>
  ({ type }: { readonly type: string }): ConfigIssue => ({
    path: ["plugins"],
    expected: `every ${kind} to have a type of its own`,
    found: `two ${kind}s of type "${type}"`
  })

const isReserved = (scheme: string): boolean =>
  !/^[a-z][a-z0-9+._-]*$/.test(scheme) || /^(?:postgres|postgresql|sqlite3?)(?:\+|$)/.test(scheme)

/** What it exports that is a plugin. */
const loadModule = (
  name: string,
  configFile: string
): Effect.Effect<ReadonlyArray<unknown>, string> =>
  Effect.gen(function* () {
    const file = yield* Effect.try({
      try: () => PluginPath.resolve(name, configFile),
      catch: () => `"${name}", which cannot be found from ${configFile}`
    })
    const module = yield* Effect.tryPromise({
      try: (): Promise<Module> => import(pathToFileURL(file).href),
      catch: (error) => `"${name}", which fails to load: ${firstLine(error)}`
    })
    const plugins = [...new Set(Object.values(module))].filter(
      (value) => Plugin.kindOf(value) !== undefined
    )
    return plugins.length > 0
      ? plugins
      : yield* Effect.fail(`"${name}", which exports none of them`)
  })

const firstLine = (error: unknown): string => messageOf(error).split("\n", 1).join("")
