/** A command reads its configuration once, however many parts of it need it. */
import { FileSystem } from "@effect/platform/FileSystem"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as BackupSettings from "../../src/Cli/Backup/BackupSettings.js"
import * as ConfigSource from "../../src/Cli/ConfigSource.js"
import * as Configuration from "../../src/Cli/Configuration.js"
import * as JournalPolicy from "../../src/Cli/Journal/JournalPolicy.js"
import * as JournalSettings from "../../src/Cli/Journal/JournalSettings.js"
import * as WatchSettings from "../../src/Cli/Watch/WatchSettings.js"
import { within } from "./inMemory.js"

const file = `
name: Bot
checks: { gateway: { type: tcp, host: h, port: 1 } }
alerts: { channels: { ops: { type: telegram, chatId: 5 } }, timeZone: Europe/Berlin }
backup: { schedule: "0 3 * * *" }
journal: { retain: 7 days }
`

const world = {
  variables: { DATABASE_URL_FILE: "/run/url", TELEGRAM_BOT_TOKEN_FILE: "/run/token" },
  files: {
    "holter.config.yaml": file,
    "/run/url": "sqlite:////var/bot.db",
    "/run/token": "123456789:AAH-s3cr3t-canary"
  }
}

/** With how often each file was read for it. */
const counted = <A, E, R>(load: Effect.Effect<A, E, R>) =>
  Effect.gen(function* () {
    const times = new Map<string, number>()
    const result = yield* Effect.updateService(load, FileSystem, (files) => ({
      ...files,
      readFileString: (path, encoding) => {
        const name = path.split("/").at(-1) ?? ""
        times.set(name, (times.get(name) ?? 0) + 1)
        return files.readFileString(path, encoding)
      }
    }))
    return { result, times: Object.fromEntries(times) }
  })

const flags = { config: Option.none(), grace: Option.none() }

describe("the configuration of a command", () => {
  it.effect("is read once for holter watch, with its alerts and its backups", () =>
    Effect.gen(function* () {
      const { result, times } = yield* counted(WatchSettings.ready(flags))
      assert.deepStrictEqual(times, { "holter.config.yaml": 1, url: 1, token: 1 })
      assert.strictEqual(result.configuration.name, "Bot")
      assert.deepStrictEqual(result.alerts.names, ["ops", "log"])
      assert.strictEqual(result.backups?.settings.url?._tag, "Sqlite")
    }).pipe(Effect.provide(within(world)))
  )

  it.effect("is read once where it cannot be used", () =>
    Effect.gen(function* () {
      const { result, times } = yield* counted(Effect.flip(WatchSettings.ready(flags)))
      assert.deepStrictEqual(times, { "holter.config.yaml": 1, url: 1, token: 1 })
      assert.include(result.message, "backup.keep")
      assert.include(result.message, "journal.retain")
    }).pipe(
      Effect.provide(
        within({
          ...world,
          files: {
            ...world.files,
            "holter.config.yaml": file
              .replace("7 days", "soon")
              .replace("backup: {", "backup: { keep: 0,")
          }
        })
      )
    )
  )

  it.effect("is read once for a command on the journal that needs the rules as well", () =>
    Effect.gen(function* () {
      const { times } = yield* counted(
        Effect.flatMap(JournalSettings.load(Option.none()), ({ source }) =>
          JournalPolicy.load(source)
        )
      )
      assert.deepStrictEqual(times, { "holter.config.yaml": 1, url: 1, token: 1 })
    }).pipe(Effect.provide(within(world)))
  )

  it.effect("is read once for a command on backups, and no variable that it does not need", () =>
    Effect.gen(function* () {
      const { result, times } = yield* counted(
        BackupSettings.load({
          config: Option.none(),
          databaseUrl: Option.none(),
          backupDir: Option.none()
        })
      )
      assert.deepStrictEqual(times, { "holter.config.yaml": 1, url: 1 })
      assert.strictEqual(result.app, "Bot")
    }).pipe(Effect.provide(within(world)))
  )

  it.effect("hides what later variables hold too", () =>
    Effect.gen(function* () {
      const source = yield* ConfigSource.read(Option.none(), [])
      assert.strictEqual(source.scrub("AAH-s3cr3t-canary"), "AAH-s3cr3t-canary")
      const { secrets } = yield* Configuration.fromSource(source)
      assert.notInclude(secrets.scrub("of 123456789:AAH-s3cr3t-canary"), "canary")
    }).pipe(Effect.provide(within(world)))
  )
})
