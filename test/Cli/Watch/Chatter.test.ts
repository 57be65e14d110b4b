import { assert, describe, it } from "@effect/vitest"
import type { Decision } from "../../../src/Alert/AlertPolicy.js"
import * as Chatter from "../../../src/Cli/Watch/Chatter.js"

const about = (service: string) => ({
  at: 0,
  service,
  incident: null,
  why: "",
  channels: [],
  alerts: []
})
const nothing: Decision = {
  ...about("redis"),
  _tag: "Nothing",
  rule: "threshold",
  reason: "BelowThreshold"
}
const start = (service: string): Decision => ({
  ...about(service),
  _tag: "Suppressed",
  rule: "start",
  reason: "Start"
})
const silenced: Decision = {
  ...about("redis"),
  _tag: "Suppressed",
  rule: "silence",
  reason: "Silence"
}
const opened: Decision = { ...about("redis"), _tag: "Opened", rule: "group" }

describe("the lines of decisions", () => {
  it("say nothing of what came to nothing, and of each failure after the start once", () => {
    const isSaid = Chatter.make(false, ["known"])
    const decided = [nothing, start("redis"), start("redis"), start("web"), silenced, opened]
    assert.deepStrictEqual(decided.map(isSaid), [false, true, false, true, true, true])
    const noted: Decision = { ...nothing, rule: "maintenance", reason: "Noted" }
    assert.isTrue(isSaid(noted))
    assert.isFalse(isSaid({ ...noted, rule: "start" }))
    assert.isFalse(isSaid({ ...noted, rule: "configuration" }))
    // That it is down was known before the start.
    assert.isFalse(isSaid(start("known")))
  })

  it("say all of it to whoever asks for that", () => {
    const isSaid = Chatter.make(true, ["known"])
    for (const decision of [nothing, start("known"), start("known"), opened]) {
      assert.isTrue(isSaid(decision))
    }
  })
})
