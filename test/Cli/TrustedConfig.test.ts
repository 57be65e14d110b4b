import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import { assert, describe, it } from "@effect/vitest"
import * as FileSystem from "@effect/platform/FileSystem"
import { Effect, Layer, Option } from "effect"
import { mkdirSync, realpathSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as TrustedConfig from "../../src/Cli/TrustedConfig.js"
import * as TempDir from "../support/TempDir.js"

interface Entry {
  readonly uid?: number
  readonly gid?: number
  readonly mode?: number
}

/** A file system in which all belongs to root, but for these. */
const files = (entries: Readonly<Record<string, Entry>>) =>
  Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (real) => ({
      ...real,
      realPath: (path: string) => Effect.succeed(path),
      stat: (path: string) => {
        const { gid = 0, mode, uid = 0 } = entries[path] ?? {}
        const isFile = /\.\w+$/.test(path)
        return Effect.map(real.stat("/"), (info) => ({
          ...info,
          type: isFile ? ("File" as const) : ("Directory" as const),
          mode: mode ?? (isFile ? 0o644 : 0o755),
          uid: Option.some(uid),
          gid: Option.some(gid)
        }))
      }
    }))
  ).pipe(Layer.provide(NodeFileSystem.layer))

const found = (
  entries: Readonly<Record<string, Entry>>,
  content: unknown = { plugins: ["./p.mjs"] },
  user = 0,
  trusted = false,
  file = "/srv/bot/holter.config.yaml"
) =>
  Effect.map(TrustedConfig.issues(file, content), (issues) =>
    issues.map((issue) => `${issue.path.join(".")}: ${issue.found}`)
  ).pipe(
    Effect.provideService(TrustedConfig.User, user),
    Effect.provideService(TrustedConfig.Trusted, trusted),
    Effect.provide(files(entries))
  )

describe("a configuration file for root", () => {
  it.effect("runs code only where no other user can write it", () =>
    Effect.gen(function* () {
      const bot = { "/srv/bot/holter.config.yaml": { uid: 1000 } }
      const theirs = ["plugins: /srv/bot/holter.config.yaml, which belongs to user 1000"]
      assert.deepStrictEqual(yield* found({}), [])
      assert.deepStrictEqual(yield* found(bot), theirs)
      assert.deepStrictEqual(yield* found({ "/srv/bot": { uid: 1000 } }), [
        "plugins: /srv/bot, which belongs to user 1000"
      ])
      assert.deepStrictEqual(yield* found({ "/srv": { mode: 0o777 } }), [
        "plugins: /srv, which every user may write"
      ])
      assert.deepStrictEqual(yield* found({ "/srv": { mode: 0o1777 } }), [])
      assert.deepStrictEqual(yield* found({ "/srv": { mode: 0o775 } }), [])
      assert.deepStrictEqual(yield* found({ "/srv": { mode: 0o775, gid: 50 } }), [
        "plugins: /srv, which a group may write"
      ])
      assert.deepStrictEqual(yield* found({ "/srv/bot/p.mjs": { uid: 7 } }), [
        "plugins.0: /srv/bot/p.mjs, which belongs to user 7"
      ])
      const command = { alerts: { channels: { page: { type: "command", command: ["page"] } } } }
      assert.deepStrictEqual(yield* found(bot, command), [
        "alerts.channels.page: /srv/bot/holter.config.yaml, which belongs to user 1000"
      ])
    })
  )

  it.effect(
    "is nobody's concern without code in it, for another user, or where it is trusted",
    () =>
      Effect.gen(function* () {
        const bot = { "/srv/bot/holter.config.yaml": { uid: 1000 } }
        assert.deepStrictEqual(yield* found(bot, { checks: {}, plugins: [] }), [])
        assert.deepStrictEqual(yield* found(bot, undefined, 1000), [])
        assert.deepStrictEqual(yield* found(bot, undefined, 0, true), [])
      })
  )

  it.scoped("takes no package that another user can write, nor one that he can make another", () =>
    Effect.gen(function* () {
      const folder = realpathSync(yield* TempDir.make("trusted"))
      const file = path.join(folder, "bot", "holter.config.yaml")
      const modules = path.join(folder, "node_modules")
      const acme = path.join(modules, "@acme", "queue")
      mkdirSync(path.join(acme, "dist"), { recursive: true })
      mkdirSync(path.dirname(file))
      writeFileSync(
        path.join(acme, "package.json"),
        '{ "exports": { ".": { "import": "./dist/index.js" } } }'
      )
      writeFileSync(path.join(acme, "dist", "index.js"), "")
      const content = { plugins: ["nowhere", "@acme/queue"] }
      const of = (entry: string, by: Entry = { uid: 7 }) =>
        found({ [entry]: by }, content, 0, false, file)
      assert.deepStrictEqual(yield* found({}, content, 0, false, file), [])
      for (const entry of [
        modules,
        path.join(modules, "@acme"),
        acme,
        path.join(acme, "package.json"),
        path.join(acme, "dist"),
        path.join(acme, "dist", "index.js")
      ]) {
        assert.deepStrictEqual(yield* of(entry), [`plugins.1: ${entry}, which belongs to user 7`])
      }
      assert.deepStrictEqual(yield* of(acme, { mode: 0o777 }), [
        `plugins.1: ${acme}, which every user may write`
      ])
    })
  )
})
