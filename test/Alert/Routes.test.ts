import { assert, describe, it } from "@effect/vitest"
import * as Routes from "../../src/Alert/Routes.js"
import { formatIssue } from "../../src/Plugin/ConfigIssue.js"

const routes: Routes.Routes = [
  { severity: "unhealthy", to: ["ops"], fallback: "hook" },
  { severity: "unhealthy", to: ["ops", "bot"] },
  { severity: "degraded", to: ["log"] }
]

const disabled =
  (...names: ReadonlyArray<string>) =>
  (channel: string) =>
    names.includes(channel)

describe("Routes", () => {
  it("by default go to Telegram for what is unhealthy, and to the log for the rest", () => {
    const to = (severity: "unhealthy" | "degraded", telegram?: string) =>
      Routes.targets(Routes.defaults(telegram), severity, disabled())
    assert.deepStrictEqual(to("unhealthy", "telegram"), ["telegram"])
    assert.deepStrictEqual(to("degraded", "telegram"), ["log"])
    assert.deepStrictEqual(to("unhealthy"), ["log"])
  })

  it("name each channel once, and the fallback in the place of one that is disabled", () => {
    assert.deepStrictEqual(Routes.targets(routes, "unhealthy", disabled()), ["ops", "bot"])
    assert.deepStrictEqual(Routes.targets(routes.slice(0, 1), "unhealthy", disabled("ops")), [
      "hook"
    ])
  })

  it("keep a disabled channel that nobody stands in for", () => {
    const both = disabled("ops", "hook")
    assert.deepStrictEqual(Routes.targets(routes.slice(0, 1), "unhealthy", both), ["ops"])
    assert.isUndefined(Routes.fallback(routes, "unhealthy", "ops", both))
    assert.isUndefined(Routes.fallback(routes, "degraded", "log", disabled("log")))
    assert.strictEqual(Routes.fallback(routes, "unhealthy", "ops", disabled("ops")), "hook")
  })

  it("know in whose place a channel is told", () => {
    const instead = (channel: string, ...gone: ReadonlyArray<string>) =>
      Routes.insteadOf(routes, "unhealthy", channel, disabled(...gone))
    assert.strictEqual(instead("hook", "ops"), "ops")
    assert.isNull(instead("hook"))
    assert.isNull(instead("bot", "ops"))
    assert.isNull(instead("hook", "ops", "hook"))
    const own = [...routes, { severity: "unhealthy", to: ["hook"] } as const]
    assert.isNull(Routes.insteadOf(own, "unhealthy", "hook", disabled("ops")))
    assert.isNull(Routes.insteadOf(routes, "degraded", "hook", disabled("ops")))
  })

  it("tell everything that is wrong with them at once", () => {
    const issues = Routes.issues(
      [
        { severity: "unhealthy", to: ["opps"], fallback: "hok" },
        { severity: "degraded", to: [] },
        { severity: "degraded", to: ["ops"], fallback: "ops" }
      ],
      ["ops", "hook"]
    )
    assert.deepStrictEqual(issues.map(formatIssue), [
      'alerts.routes.0.to.0: expected the name of a channel (known: ops, hook, log), found "opps"',
      'alerts.routes.0.fallback: expected the name of a channel (known: ops, hook, log), found "hok"',
      "alerts.routes.1.to: expected at least one channel, found an empty list",
      'alerts.routes.2.fallback: expected a channel that the route does not go to anyway, found "ops"'
    ])
    assert.deepStrictEqual(Routes.issues(routes, ["ops", "hook", "bot"]), [])
  })
})
