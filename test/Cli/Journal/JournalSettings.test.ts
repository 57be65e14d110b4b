import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option, Redacted } from "effect"
import * as path from "node:path"
import * as Configuration from "../../../src/Cli/Configuration.js"
import * as JournalSettings from "../../../src/Cli/Journal/JournalSettings.js"
import * as DatabaseUrl from "../../../src/Common/DatabaseUrl.js"
import { within, type World } from "../inMemory.js"

const world = (variables: World["variables"] = {}, file?: string): World => ({
  variables,
  files: file === undefined ? {} : { "holter.config.yaml": file }
})

const load = (variables?: World["variables"], file?: string) =>
  Effect.provide(JournalSettings.load(Option.none()), within(world(variables, file)))

const issuesOf = (variables?: World["variables"], file?: string) =>
  Effect.flatMap(Effect.flip(load(variables, file)), (error) =>
    error._tag === "ConfigurationError"
      ? Effect.succeed(error.issues)
      : Effect.dieMessage(error.message)
  )

const urlOf = (settings: JournalSettings.JournalSettings) =>
  Redacted.value(DatabaseUrl.format(settings.url))

const checks = "checks: { gateway: { type: tcp, host: h, port: 1 } }\n"

describe("JournalSettings", () => {
  it.effect("is the database of Holter's own where nothing is said", () =>
    Effect.gen(function* () {
      const settings = yield* load()
      assert.deepStrictEqual(settings.url, { _tag: "Sqlite", path: path.resolve("data/holter.db") })
      assert.isUndefined(settings.retain)
    })
  )

  it.effect("comes from the variable, and before it from the file", () =>
    Effect.gen(function* () {
      const variables = { HOLTER_JOURNAL_URL: "postgresql://h:pw@db.example/holter" }
      assert.strictEqual(urlOf(yield* load(variables)), "postgresql://h:pw@db.example:5432/holter")
      const file = "journal: { url: 'sqlite:////var/j.db', retain: 7 days }\n"
      const settings = yield* load(variables, file)
      assert.strictEqual(urlOf(settings), "sqlite:////var/j.db")
      assert.strictEqual(Duration.toHours(settings.retain ?? 0), 7 * 24)
    })
  )

  it.effect("is the same for a program that loads the whole configuration", () =>
    Effect.gen(function* () {
      const variables = { HOLTER_JOURNAL_URL: "sqlite:///j.db" }
      const whole = (values: World["variables"], file: string) =>
        Effect.provide(Configuration.load(Option.none()), within(world(values, file)))
      const plain = yield* whole({}, checks)
      assert.deepStrictEqual(plain.journal.url, (yield* load()).url)
      const named = yield* whole(variables, checks)
      assert.deepStrictEqual(named.journal.url, (yield* load(variables)).url)
      const filed = yield* whole({}, `${checks}journal: { url: './k.db' }\n`)
      assert.deepStrictEqual(filed.journal.url, { _tag: "Sqlite", path: path.resolve("k.db") })
      assert.deepStrictEqual(filed.warnings, [])
      const error = yield* Effect.flip(whole({}, `${checks}journal: { retain: 30 }\n`))
      assert.include(error.message, "journal.retain")
    })
  )

  it.effect("tells all that is wrong in it, and nothing of the rest of the file", () =>
    Effect.gen(function* () {
      const file = "checks: 12\njournal: { url: 'mysql://u:s3cr3t@h/d', retain: 30, keep: 1 }\n"
      const issues = yield* issuesOf({}, file)
      assert.deepStrictEqual(issues.map((one) => one.path.join(".")).sort(), [
        "journal.keep",
        "journal.retain",
        "journal.url"
      ])
      const [issue] = yield* issuesOf({}, "journal: { url: 'mysql://u:s3cr3t@h/d' }\n")
      assert.strictEqual(issue?.path.join("."), "journal.url")
      assert.notInclude(`${issue?.expected}${issue?.found}`, "s3cr3t")
      const [variable] = yield* issuesOf({ HOLTER_JOURNAL_URL: "mysql://u:s3cr3t@h/d" })
      assert.deepStrictEqual(variable?.path, ["HOLTER_JOURNAL_URL"])
      const [unset] = yield* issuesOf({}, "journal: { url: '${NOWHERE}' }\n")
      assert.deepStrictEqual(unset?.path, ["journal", "url"])
      assert.include(unset?.expected, "NOWHERE")
    })
  )
})
