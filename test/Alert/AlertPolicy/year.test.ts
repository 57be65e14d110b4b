/**
 * A year of 20 checks, folded where everybody runs the tests.
 */
import { assert, describe, it } from "@effect/vitest"
import * as AlertPolicy from "../../../src/Alert/AlertPolicy.js"
import { check, hours, minutes, policy, result, restarted } from "../trace.js"

const services = Array.from({ length: 20 }, (_, index) => `service${index}`)
const year = hours(24 * 365)

/** Each service is down for an hour every 36 days, each at another time. */
const isDown = (index: number, at: number): boolean =>
  (at + hours(50) + index * hours(7)) % hours(24 * 36) < hours(1)

describe("a year of 20 checks at 5 minutes", () => {
  it("folds in seconds, with an alert for each outage and one for its end", () => {
    const rules = policy({
      checks: services.map((name) =>
        check(name, { interval: "5 minutes", dependsOn: name === "service19" ? ["service0"] : [] })
      )
    })
    let state = AlertPolicy.initial
    let events = 0
    const told: Record<string, number> = {}
    const feed = (event: AlertPolicy.Event.Event) => {
      const [next, decisions] = AlertPolicy.advance(rules, state, event)
      state = next
      events += 1
      for (const { alerts } of decisions) {
        for (const { kind, subjects } of alerts) told[kind] = (told[kind] ?? 0) + subjects.length
      }
    }
    const begun = performance.now()
    feed(restarted(0))
    for (let at = 0; at < year; at += minutes(5)) {
      services.forEach((service, index) =>
        feed(result(at + index * 1000, service, isDown(index, at) ? "unhealthy" : "healthy"))
      )
    }
    const took = performance.now() - begun
    process.stdout.write(
      `AlertPolicy: ${events} events in ${Math.round(took)} ms, ${Math.round(events / took)}k a second\n`
    )
    // Ten or eleven outages of each service, and none goes on when the year is over.
    assert.strictEqual(told["opened"], told["resolved"])
    assert.isAbove(told["opened"] ?? 0, 199)
    assert.isBelow(took, 30_000)
  })
})
