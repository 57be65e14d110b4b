import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as path from "node:path"
import * as BackupSettings from "../../../src/Cli/Backup/BackupSettings.js"
import { checkLeniency, noMakingFlags } from "../../../src/Cli/Backup/BackupFlags.js"
import * as Globals from "../../../src/Cli/Backup/Globals.js"
import * as TrustedConfig from "../../../src/Cli/TrustedConfig.js"
import { within } from "../inMemory.js"

type Flags = Parameters<typeof BackupSettings.load>[0]

const noFlags: Flags = {
  databaseUrl: Option.none(),
  backupDir: Option.none(),
  config: Option.none()
}

interface Given {
  readonly variables?: Readonly<Record<string, string>>
  readonly file?: string
  readonly flags?: Partial<Flags>
}

const load = ({ file, flags = {}, variables = {} }: Given) =>
  BackupSettings.load({ ...noFlags, ...flags }).pipe(
    Effect.provide(
      within({ variables, files: file === undefined ? {} : { "holter.config.yaml": file } })
    )
  )

const issuesOf = (given: Given) =>
  Effect.map(Effect.flip(load(given)), (error) =>
    error._tag === "ConfigurationError"
      ? error.issues.map(({ expected, found, path }) => ({ path: path.join("."), expected, found }))
      : [{ path: error.flag, expected: error.expected, found: error.found }]
  )

const DATABASE_URL = "sqlite:////var/bot.db"

describe("BackupSettings", () => {
  it.effect("has a value for everything but the database", () =>
    Effect.gen(function* () {
      const settings = yield* load({})
      assert.deepInclude(settings, {
        app: undefined,
        url: undefined,
        directory: path.resolve("backups"),
        keep: 7,
        compression: "gzip",
        copies: [],
        source: "environment"
      })
    })
  )

  it.effect("takes flags before the file, the file before the environment", () =>
    Effect.gen(function* () {
      const variables = {
        DATABASE_URL,
        HOLTER_BACKUP_DIR: "/from/variable",
        HOLTER_NAME: "By Variable"
      }
      const fromVariables = yield* load({ variables })
      assert.deepInclude(fromVariables, { app: "By Variable", directory: "/from/variable" })
      assert.deepStrictEqual(fromVariables.url, { _tag: "Sqlite", path: "/var/bot.db" })

      const file =
        "name: By File\nbackup: { url: /file.db, directory: /from/file, keep: 3, compress: none }\n"
      const fromFile = yield* load({ variables, file })
      assert.deepInclude(fromFile, { app: "By File", directory: "/from/file", keep: 3 })
      assert.strictEqual(fromFile.compression, "none")
      assert.deepStrictEqual(fromFile.url, { _tag: "Sqlite", path: "/file.db" })

      const flags = {
        databaseUrl: Option.some("/flag.db"),
        backupDir: Option.some("/from/flag"),
        making: { ...noMakingFlags, keep: Option.some(14) }
      }
      const fromFlags = yield* load({ variables, file, flags })
      assert.deepInclude(fromFlags, { directory: "/from/flag", keep: 14 })
      assert.deepStrictEqual(fromFlags.url, { _tag: "Sqlite", path: "/flag.db" })
    })
  )

  it.effect("tells all that is wrong in the section at once, by path, and shows no secret", () =>
    Effect.gen(function* () {
      const file = [
        "backup:",
        "  url: mysql://bot:canary-password@host/db",
        "  keep: 0",
        "  compress: brotli",
        "  schedule: every night",
        "  timeZone: Mars/Olympus",
        "  stores: [{ type: s3, path: x }]",
        "  kepp: 3",
        "  daily: ${NOWHERE}"
      ].join("\n")
      const issues = yield* issuesOf({ file })
      assert.sameMembers(
        issues.map(({ path }) => path),
        [
          ...["backup.keep", "backup.compress", "backup.schedule", "backup.timeZone"],
          ...["backup.stores.0.type", "backup.kepp", "backup.daily", "backup.url"]
        ]
      )
      assert.notInclude(JSON.stringify(issues), "canary")
      const [wrong] = yield* issuesOf({ file: "backup: { url: mysql://bot:canary-password@h/d }" })
      assert.strictEqual(wrong?.path, "backup.url")
      assert.match(wrong?.expected ?? "", /sqlite or postgresql/)
      assert.notInclude(JSON.stringify(wrong), "canary")
    })
  )

  it.effect("knows the levels of each compression", () =>
    Effect.gen(function* () {
      const [issue] = yield* issuesOf({ file: "backup: { level: 12 }" })
      assert.deepStrictEqual(issue, {
        path: "backup.level",
        expected: "a level of gzip, from 1 to 9",
        found: "12"
      })
      const { section } = yield* load({ file: "backup: { compress: zstd, level: 12 }" })
      assert.strictEqual(section.level, 12)
    })
  )

  it.effect("does not mind what is wrong elsewhere in the file", () =>
    Effect.gen(function* () {
      const file = "checks: { a: { type: nope, url: '${NOWHERE}' } }\nbackup: { keep: 2 }\n"
      assert.strictEqual((yield* load({ file })).keep, 2)
    })
  )

  it.effect("takes a URL whose variable is missing for no database, where none is needed", () =>
    Effect.gen(function* () {
      const file = "backup: { url: '${DATABASE_URL}', directory: /kept }\n"
      const [issue] = yield* issuesOf({ file })
      assert.strictEqual(issue?.path, "backup.url")
      const listing = yield* load({ file, flags: { databaseOptional: true } })
      assert.deepInclude(listing, { url: undefined, directory: "/kept" })
      const flagged = yield* load({ file, flags: { databaseUrl: Option.some("/flag.db") } })
      assert.deepStrictEqual(flagged.url, { _tag: "Sqlite", path: "/flag.db" })
    })
  )

  it.effect("takes a number from a variable", () =>
    Effect.gen(function* () {
      const settings = yield* load({
        file: "backup: { keep: '${KEEP}' }",
        variables: { KEEP: "9" }
      })
      assert.strictEqual(settings.keep, 9)
    })
  )

  it.effect("refuses flags that a shell left empty, and a count of none", () =>
    Effect.gen(function* () {
      for (const [flags, name] of [
        [{ databaseUrl: Option.some("") }, "--database-url"],
        [{ backupDir: Option.some("") }, "--backup-dir"],
        [{ databaseUrl: Option.some("mongodb://h") }, "--database-url"],
        [{ making: { ...noMakingFlags, keep: Option.some(0) } }, "--keep"]
      ] as const) {
        const [issue] = yield* issuesOf({ variables: { DATABASE_URL }, flags })
        assert.strictEqual(issue?.path, name)
      }
    })
  )

  it.effect("names the variable where it is what is wrong", () =>
    Effect.gen(function* () {
      const [issue] = yield* issuesOf({
        variables: { DATABASE_URL: "mongodb://bot:canary-password@host" }
      })
      assert.strictEqual(issue?.path, "DATABASE_URL")
      assert.notInclude(JSON.stringify(issue), "canary")
    })
  )
})

describe("What a SQLite database has nothing of", () => {
  const sqlite = { variables: { DATABASE_URL } }
  const postgres = { variables: { DATABASE_URL: "postgres://bot@db/bot" } }

  it.effect("is refused as a flag", () =>
    Effect.gen(function* () {
      const { url } = yield* load(sqlite)
      for (const [flag, given] of [
        ["--allow-incomplete", { allowIncomplete: true, noOwner: false }],
        ["--no-owner", { allowIncomplete: false, noOwner: true }]
      ] as const) {
        const error = yield* Effect.flip(checkLeniency(given, url))
        assert.deepInclude(error, { _tag: "UsageError", flag, expected: "a PostgreSQL database" })
        yield* checkLeniency(given, (yield* load(postgres)).url)
      }
      const error = yield* Effect.flip(Globals.check({ globals: true }, yield* load(sqlite)))
      assert.deepInclude(error, { _tag: "UsageError", flag: "--globals" })
      yield* Globals.check({ globals: true }, yield* load(postgres))
    })
  )

  it.effect("is refused as a line of the file, wherever the URL stands", () =>
    Effect.gen(function* () {
      const file = "backup: { globals: true }\n"
      const settings = yield* load({ ...sqlite, file })
      const error = yield* Effect.flip(Globals.check({ globals: false }, settings))
      assert.strictEqual(error._tag, "ConfigurationError")
      assert.include(error.message, "backup.globals")
      yield* Globals.check({ globals: false }, yield* load({ ...postgres, file }))
      const [issue] = yield* issuesOf({
        file: "backup: { url: /var/bot.db, globals: true }\n"
      })
      assert.strictEqual(issue?.path, "backup.globals")
      assert.include(issue?.expected, "PostgreSQL")
      assert.deepStrictEqual(
        (yield* load({ file: "backup: { url: /var/bot.db, globals: false }\n" })).section.globals,
        false
      )
    })
  )

  it.effect(
    "takes the strategy of a plugin for a URL of its scheme, and loads none for others",
    () =>
      Effect.gen(function* () {
        const plugin = path.resolve("test/support/tarStrategy.ts")
        const fileOf = (url: string, name = plugin) =>
          `plugins: ["${name}"]\nbackup: { url: "${url}" }\n`
        const { url } = yield* load({ file: fileOf("tar:///srv/files") })
        assert.strictEqual(url?._tag === "Foreign" ? url.definition.type : url?._tag, "tar")
        const known = yield* load({ file: fileOf(DATABASE_URL, "./no-such-plugin.js") })
        assert.strictEqual(known.url?._tag, "Sqlite")
        const [missing] = yield* issuesOf({
          file: fileOf("tar:///srv/files", "./no-such-plugin.js")
        })
        assert.strictEqual(missing?.path, "plugins.0")
        const [other] = yield* issuesOf({ file: fileOf("zip:///srv/files") })
        assert.strictEqual(other?.path, "backup.url")
      }).pipe(Effect.provideService(TrustedConfig.Trusted, true))
  )
})
