import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import type { ChannelHealth } from "../../../src/Alert/Notifier.js"
import * as WatchState from "../../../src/Cli/Watch/WatchState.js"
import type { Line } from "../../../src/Cli/Watch/Lines.js"
import * as Problems from "../../../src/Cli/Watch/Problems.js"

const journal = { down: undefined, waiting: 0, lost: 0 }
const failing = { waiting: 1, failures: 2, disabled: undefined, lastError: "503" }
const disabled = { waiting: 1, failures: 0, disabled: "401", lastError: "401" }
const delivered = { waiting: 0, failures: 0, disabled: undefined, lastError: undefined }

/** The names in the lines that follow from how the channel `ops` does now. */
const said = (before: ChannelHealth, after: ChannelHealth | undefined): ReadonlyArray<string> => {
  const empty = WatchState.make({
    name: "Bot",
    zone: DateTime.zoneMakeOffset(0),
    checks: [],
    notConfigured: []
  })
  const was = Problems.noticed(empty, new Map([["ops", before]]), journal)
  const health = new Map(after === undefined ? [] : [["ops", after]])
  const is = Problems.noticed(was, health, journal)
  return Problems.lines({ before: was, after: is, health, at: 0 }).map(nameOf)
}

const nameOf = (line: Line): string => (line._tag === "part" ? line.name : line._tag)

describe("the troubles of channels", () => {
  it("are over when the channel has delivered", () => {
    assert.deepStrictEqual(said(failing, delivered), ["ops back"])
    assert.deepStrictEqual(said(disabled, delivered), ["ops back"])
    assert.deepStrictEqual(said(failing, failing), [])
  })

  it("are not over because the channel is gone, or another one that has delivered nothing", () => {
    assert.deepStrictEqual(said(failing, undefined), [])
    assert.deepStrictEqual(said(disabled, { ...disabled, disabled: undefined }), [
      "ops tried again"
    ])
  })
})
