/**
 * Whether root may take commands and plugins from a configuration file. What another user can write is
 * that user's: by it they would run as root.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Context, Effect, Option, Predicate } from "effect"
import { dirname, isAbsolute, resolve } from "node:path"
import type { ConfigIssue } from "../Check/CheckError.js"

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
    const modules = yield* Effect.forEach(localPlugins(content), ({ index, name }) =>
      Effect.map(
        strangerAt(isAbsolute(name) ? name : resolve(dirname(file), name)),
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

const localPlugins = (content: unknown) => {
  const plugins: unknown = Predicate.isRecord(content) ? content["plugins"] : undefined
  return (Array.isArray(plugins) ? (plugins as ReadonlyArray<unknown>) : []).flatMap(
    (name, index) => (typeof name === "string" && /^\.{0,2}\//.test(name) ? [{ name, index }] : [])
  )
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
