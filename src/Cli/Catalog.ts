/**
 * The checks that the command line knows by their type. A plugin is loaded when it is needed:
 * nobody pays for a driver that no service uses.
 */
import { pathToFileURL } from "node:url"
import { Effect, Inspectable } from "effect"
import * as Check from "../Check/Check.js"
import type { ConfigIssue } from "../Check/CheckError.js"
import * as PluginPath from "./PluginPath.js"

type Load = () => Promise<Check.Any>

/** Check types by name, in the order in which lists show them. */
export type Catalog = ReadonlyMap<string, Load>

export const builtIn: Catalog = new Map<string, Load>([
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

/** The check of a type. Loading a built-in one fails only when the installation is broken. */
export const load = (plugin: Load): Effect.Effect<Check.Any> => Effect.promise(plugin)

/**
 * The catalog with the checks of other packages. A name is looked up from where the configuration
 * file lies, so that a globally installed `holter` finds the plugins of the project.
 */
export const withPlugins = (
  plugins: ReadonlyArray<string>,
  configFile: string
): Effect.Effect<Catalog, ReadonlyArray<ConfigIssue>> =>
  Effect.gen(function* () {
    const [issues, modules] = yield* Effect.partition(plugins, (name, index) =>
      Effect.mapError(loadModule(name, configFile), (found) => ({
        path: ["plugins", String(index)],
        expected: "a package or a file that exports at least one check made with Check.make",
        found
      }))
    )
    if (issues.length > 0) return yield* Effect.fail(issues)
    const external = modules
      .flat()
      .map((check): [string, Load] => [check.type, () => Promise.resolve(check)])
    const clashes = external.filter(
      ([type], index) =>
        builtIn.has(type) || external.findIndex(([other]) => other === type) !== index
    )
    if (clashes.length > 0) {
      return yield* Effect.fail(
        clashes.map(([type]) => ({
          path: ["plugins"],
          expected: "every check to have a type of its own",
          found: `two checks of type "${type}"`
        }))
      )
    }
    return new Map([...builtIn, ...external])
  })

const loadModule = (
  name: string,
  configFile: string
): Effect.Effect<ReadonlyArray<Check.Any>, string> =>
  Effect.gen(function* () {
    const file = yield* Effect.try({
      try: () => PluginPath.resolve(name, configFile),
      catch: () => `"${name}", which cannot be found from ${configFile}`
    })
    const module = yield* Effect.tryPromise({
      try: (): Promise<Record<string, unknown>> => import(pathToFileURL(file).href),
      catch: (error) => `"${name}", which fails to load: ${messageOf(error)}`
    })
    const checks = Object.values(module).filter(Check.isCheck)
    return checks.length > 0
      ? [...new Set(checks)]
      : yield* Effect.fail(`"${name}", which exports no check`)
  })

const messageOf = (error: unknown): string =>
  error instanceof Error
    ? error.message.split("\n", 1).join("")
    : Inspectable.toStringUnknown(error)
