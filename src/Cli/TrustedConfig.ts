/**
 * Whether root may take commands and plugins from a configuration file. What another user can write is
 * that user's: by it they would run as root.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Context, Effect, Either, Option, Predicate } from "effect"
import { basename, dirname, join, resolve } from "node:path"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as PluginPath from "./PluginPath.js"

export const flag = "--trust-config"

/** Set by the flag: whoever types it answers for the file. */
export class Trusted extends Context.Reference<Trusted>()("holter/Cli/Trusted", {
  defaultValue: () => false
}) {}

/** The user that this process runs as; none where the system has no such numbers. */
export class User extends Context.Reference<User>()("holter/Cli/User", {
  defaultValue: () => process.getuid?.()
}) {}

/** What is wrong with running what the file names, one issue a section. */
export const issues = (
  file: string,
  content: unknown
): Effect.Effect<ReadonlyArray<ConfigIssue>, never, FileSystem> =>
  Effect.gen(function* () {
    if (file === "" || (yield* Trusted) || (yield* User) !== 0) return []
    const runs = running(content)
    if (runs.length === 0) return []
    const found = yield* strangerAt(file)
    const modules = yield* Effect.forEach(pluginsOf(content), ({ index, name }) =>
      Effect.map(
        Effect.reduce(filesOf(name, file), Option.none<string>(), (why, one) =>
          Option.isSome(why) ? Effect.succeed(why) : strangerAt(one)
        ),
        Option.map((why) => issue(["plugins", String(index)], why))
      )
    )
    return Option.match(found, {
      onNone: () => modules.flatMap(Option.toArray),
      onSome: (why) => runs.map((path) => issue(path, why))
    })
  })

const issue = (path: ReadonlyArray<string>, found: string): ConfigIssue => ({
  path,
  expected: `code that root runs to be in a file that only root can write (run Holter as the user of the bot, or give ${flag})`,
  found
})

/** The places in it by which it runs code. */
const running = (content: unknown): ReadonlyArray<ReadonlyArray<string>> => {
  if (!Predicate.isRecord(content)) return []
  const { alerts, plugins } = content
  const channels = Predicate.isRecord(alerts) ? alerts["channels"] : undefined
  return [
    ...(Array.isArray(plugins) && plugins.length > 0 ? [["plugins"]] : []),
    ...(Predicate.isRecord(channels) ? Object.entries(channels) : []).flatMap(([name, entry]) =>
      Predicate.isRecord(entry) && entry["command"] !== undefined
        ? [["alerts", "channels", name]]
        : []
    )
  ]
}

const pluginsOf = (content: unknown) => {
  const plugins: unknown = Predicate.isRecord(content) ? content["plugins"] : undefined
  return (Array.isArray(plugins) ? (plugins as ReadonlyArray<unknown>) : []).flatMap(
    (name, index) => (typeof name === "string" ? [{ name, index }] : [])
  )
}

/**
 * The module that a plugin is, by its path or as a package in a `node_modules` above the file, and what can
 * make it another one: a `package.json`. None where there is no such plugin: the loader says so.
 */
const filesOf = (name: string, configFile: string): ReadonlyArray<string> =>
  Either.match(
    Either.try(() => PluginPath.resolve(name, configFile)),
    {
      onLeft: () => (isLocal(name) ? [resolve(dirname(configFile), name)] : []),
      onRight: (file) => [
        file,
        ...(isLocal(name) ? [] : packagesAbove(file).map((folder) => join(folder, "package.json")))
      ]
    }
  )

const isLocal = (name: string): boolean => /^\.{0,2}\//.test(name)

/** Up to the `node_modules` that holds it. */
const packagesAbove = (file: string): ReadonlyArray<string> => {
  const folders = above(file)
  const end = folders.findIndex((folder) => basename(folder) === "node_modules")
  return end === -1 ? folders.slice(0, 1) : folders.slice(0, end)
}

/** Who else can write a file or exchange it by a directory above it; what is not there nobody can. */
const strangerAt = (file: string): Effect.Effect<Option.Option<string>, never, FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const real = yield* Effect.orElseSucceed(fs.realPath(file), () => file)
    return yield* Effect.reduce(
      [file, real].flatMap((path) => [path, ...above(path)]),
      Option.none<string>(),
      (found, path) =>
        Option.isSome(found)
          ? Effect.succeed(found)
          : Effect.map(Effect.option(fs.stat(path)), Option.flatMap(strangerOf(path)))
    )
  })

const above = (path: string): ReadonlyArray<string> => {
  const parent = dirname(path)
  return parent === path ? [] : [parent, ...above(parent)]
}

const strangerOf =
  (path: string) =>
  (info: {
    readonly type: string
    readonly uid: Option.Option<number>
    readonly gid: Option.Option<number>
    readonly mode: number
  }): Option.Option<string> => {
    const uid = Option.getOrElse(info.uid, () => 0)
    if (uid !== 0) return Option.some(`${path}, which belongs to user ${uid}`)
    const byGroup = (info.mode & 0o020) !== 0 && Option.getOrElse(info.gid, () => 0) !== 0
    const byOthers = (info.mode & 0o002) !== 0
    // In such a directory only the owner of a file may exchange it.
    const isSticky = info.type === "Directory" && (info.mode & 0o1000) !== 0
    return (byGroup || byOthers) && !isSticky
      ? Option.some(`${path}, which ${byOthers ? "every user" : "a group"} may write`)
      : Option.none()
  }
