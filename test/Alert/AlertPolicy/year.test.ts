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
    const opened = new Map<string, number>()
    const resolved = new Map<string, number>()
    const outages = new Map<string, number>()
    const count = (counts: Map<string, number>, service: string) =>
      counts.set(service, (counts.get(service) ?? 0) + 1)
    const feed = (event: AlertPolicy.Event.Event) => {
      const [next, decisions] = AlertPolicy.advance(rules, state, event)
      state = next
      events += 1
      for (const { alerts } of decisions) {
        for (const { kind, subjects } of alerts) {
          const counts = kind === "opened" ? opened : kind === "resolved" ? resolved : undefined
          for (const { service } of subjects) if (counts !== undefined) count(counts, service)
        }
      }
    }
    const begun = performance.now()
    feed(restarted(0))
    for (let at = 0; at < year; at += minutes(5)) {
      services.forEach((service, index) => {
        if (isDown(index, at) && !isDown(index, at - minutes(5))) count(outages, service)
        feed(result(at + index * 1000, service, isDown(index, at) ? "unhealthy" : "healthy"))
      })
    }
    const took = performance.now() - begun
    process.stdout.write(
      `AlertPolicy: ${events} events in ${Math.round(took)} ms, ${Math.round(events / took)}k a second\n`
    )
    // Ten or eleven outages of each service, and none goes on when the year is over.
    const all = [...outages.values()].reduce((sum, one) => sum + one, 0)
    assert.isAbove(all, 199)
    assert.deepStrictEqual(opened, outages)
    assert.deepStrictEqual(resolved, outages)
  })
})
