/** A channel is one file: its type, its fields and the variables that they come from. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as AlertChannel from "../../../src/Alert/AlertChannel.js"
import * as ChannelEntry from "../../../src/Cli/Alerts/ChannelEntry.js"
import * as ConfigField from "../../../src/Plugin/ConfigField.js"
import { formatIssue } from "../../../src/Plugin/ConfigIssue.js"

const Pager = AlertChannel.make("pager", {
  description: "Pages somebody",
  config: {
    token: ConfigField.secret,
    priority: ConfigField.withDefault(ConfigField.count, 3)
  },
  variables: { token: "PAGER_TOKEN", priority: "PAGER_PRIORITY" },
  send: () => Effect.void,
  services: () => Layer.empty
})

const make = (
  entry: Readonly<Record<string, unknown>>,
  environment: Readonly<Record<string, string>> = {}
) =>
  ChannelEntry.make(
    "oncall",
    { type: "pager", ...entry },
    {
      catalog: new Map([["pager", Effect.succeed(Pager)]]),
      complete: true,
      installation: "Bot",
      interpolated: new Set(),
      scrub: (text) => text,
      variables: (names) =>
        Effect.succeed({
          values: new Map(Object.entries(environment).filter(([name]) => names.includes(name))),
          issues: names
            .filter((name) => environment[name] === "unreadable")
            .map((name) => ({ path: [name], expected: "a value", found: "none" })),
          secrets: []
        })
    }
  )

const issuesOf = (...given: Parameters<typeof make>) =>
  Effect.map(Effect.flip(make(...given)), (issues) => issues.map(formatIssue))

describe("the entry of a channel", () => {
  it.effect("takes from its variables what it does not have itself", () =>
    Effect.gen(function* () {
      const environment = { PAGER_TOKEN: "s3cr3t-canary" }
      const { entry, secrets } = yield* make({}, environment)
      assert.deepInclude(entry, { fields: { token: "s3cr3t-canary" } })
      assert.isAbove(secrets.length, 0)
      yield* make({}, { ...environment, PAGER_PRIORITY: "5" })
      const own = yield* make({ token: "own" }, environment)
      assert.deepInclude(own.entry, { fields: { token: "own" } })
    })
  )

  it.effect("names the variable where that is what is wrong, and the path else", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* issuesOf({}, { PAGER_TOKEN: "a", PAGER_PRIORITY: "0" }), [
        "PAGER_PRIORITY: expected a whole number of at least 1, found 0"
      ])
      assert.deepStrictEqual(yield* issuesOf({ priority: 0 }, { PAGER_TOKEN: "a" }), [
        "alerts.channels.oncall.priority: expected a whole number of at least 1, found 0"
      ])
    })
  )

  it.effect("says what is wrong with a variable", () =>
    Effect.gen(function* () {
      const issues = yield* issuesOf({}, { PAGER_TOKEN: "unreadable" })
      assert.include(issues, "PAGER_TOKEN: expected a value, found none")
    })
  )

  it.effect("knows its own keys and those of every channel", () =>
    Effect.gen(function* () {
      const { rules } = yield* make({ token: "a", grouped: false })
      assert.deepStrictEqual(rules, { grouped: false })
      assert.deepStrictEqual(yield* issuesOf({ token: "a", tokn: "b" }), [
        "alerts.channels.oncall.tokn: expected no such key (known: token, priority, type, grouped, reminders, unreachable), found a string"
      ])
    })
  )
})
