/** Where no time at all makes sense it is taken, and where it does not, it is refused in clear words. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Option } from "effect"
import { formatIssue } from "../../src/Plugin/ConfigIssue.js"
import * as WatchSettings from "../../src/Cli/Watch/WatchSettings.js"
import { within } from "./inMemory.js"

const load = (document: object) =>
  WatchSettings.load({ config: Option.none(), grace: Option.none() }).pipe(
    Effect.provide(within({ files: { "holter.config.json": JSON.stringify(document) } }))
  )

const gateway = { type: "tcp", host: "h", port: 1 }
const token = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"

describe("a duration of 0", () => {
  for (const zero of ["0 seconds", "0 millis", "0 minutes"]) {
    it.effect(`is taken where nothing is to be waited for: ${zero}`, () =>
      Effect.gen(function* () {
        const { alerts, configuration, time } = yield* load({
          heartbeat: { jitter: "2 seconds" },
          checks: {
            gateway: { ...gateway, jitter: zero, retry: { times: 2, base: zero } },
            telegram_api: { type: "telegram", token, webhookErrorAge: zero }
          },
          alerts: { limits: { startGrace: zero, groupWindow: zero } },
          shutdown: { lameDuck: zero }
        })
        const policy = configuration.services.find(({ name }) => name === "gateway")?.policy
        assert.isTrue(Duration.equals(policy?.jitter ?? 1, 0))
        assert.deepInclude(alerts.policy, { startGrace: 0, groupWindow: 0 })
        assert.isTrue(Duration.equals(time.lameDuck, 0))
      })
    )
  }

  it.effect("is refused where there must be some, and told to be none", () =>
    Effect.gen(function* () {
      const zero = "0 seconds"
      const error = yield* Effect.flip(
        load({
          heartbeat: { interval: zero, timeout: zero },
          checks: {
            gateway: { ...gateway, attemptTimeout: zero, slow: zero, confirm: zero },
            db: { type: "database", url: "sqlite:////x", acquireTimeout: zero }
          },
          alerts: {
            channels: {
              hook: { type: "webhook", url: "https://h", timeout: zero },
              page: { type: "command", command: ["a"], timeout: zero }
            },
            maintenance: [{ name: "a", schedule: "0 3 * * *", duration: zero }],
            limits: {
              reminders: [zero],
              cap: { within: zero },
              flapping: { within: zero, calm: zero }
            },
            deadMan: { url: "https://h/x", interval: zero, timeout: zero }
          },
          journal: { retain: zero },
          shutdown: { grace: zero }
        })
      )
      const lines = error._tag === "ConfigurationError" ? error.issues.map(formatIssue) : []
      assert.sameMembers(
        lines.map((line) => line.split(": expected", 1)[0]),
        [
          "heartbeat.interval",
          "heartbeat.timeout",
          "checks.gateway.attemptTimeout",
          "checks.gateway.slow",
          "checks.gateway.confirm",
          "checks.db.acquireTimeout",
          "alerts.channels.hook.timeout",
          "alerts.channels.page.timeout",
          "alerts.maintenance.0.duration",
          "alerts.limits.reminders.0",
          "alerts.limits.cap.within",
          "alerts.limits.flapping.within",
          "alerts.limits.flapping.calm",
          "alerts.deadMan.interval",
          "alerts.deadMan.timeout",
          "journal.retain",
          "shutdown.grace"
        ]
      )
      for (const line of lines) {
        assert.match(line, /expected .*duration/)
        assert.match(line, /found "0 seconds", and it must be longer than 0$/)
      }
    })
  )
})
