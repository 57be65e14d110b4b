import { assert, describe, it } from "@effect/vitest"
import type { Decision } from "../../../src/Alert/AlertPolicy.js"
import * as Lines from "../../../src/Cli/Watch/Lines.js"

const at = Date.UTC(2025, 11, 11, 23, 0, 0, 120)

const decision: Decision = {
  _tag: "Opened",
  at,
  service: "redis",
  incident: "redis-1",
  rule: "group",
  why: "Redis refused the connection: 3 failures in a row",
  channels: ["ops", "hook"],
  alerts: []
}

const { Line } = Lines

const cases: ReadonlyArray<readonly [Lines.Line, string]> = [
  [
    Line.start({ at, name: "Price Bot", message: "2 services: database, redis" }),
    "2025-12-11T23:00:00.120Z start Price Bot: 2 services: database, redis"
  ],
  [
    Line.status({
      at,
      service: "redis",
      status: "unhealthy",
      previous: "healthy",
      message: "Redis said\n\u001b[2Jno"
    }),
    "2025-12-11T23:00:00.120Z status redis unhealthy (was healthy): Redis said \u{FFFD}[2Jno"
  ],
  [
    Line.stale({ at, service: "redis", message: "no result for three intervals" }),
    "2025-12-11T23:00:00.120Z stale redis: no result for three intervals"
  ],
  [
    Line.alert({ decision }),
    "2025-12-11T23:00:00.120Z alert redis opened, for ops, hook: Redis refused the connection: 3 failures in a row"
  ],
  [
    Line.alert({
      decision: {
        ...decision,
        _tag: "Suppressed",
        reason: "Silence",
        rule: "silence",
        channels: []
      }
    }),
    "2025-12-11T23:00:00.120Z alert redis suppressed (Silence): Redis refused the connection: 3 failures in a row"
  ],
  [
    Line.backup({ at, work: "backup", event: "started", message: "" }),
    "2025-12-11T23:00:00.120Z backup started"
  ],
  [
    Line.part({ at, part: "channel", name: "ops disabled", message: "403 Forbidden" }),
    "2025-12-11T23:00:00.120Z channel ops disabled: 403 Forbidden"
  ],
  [Line.stop({ at, message: "SIGTERM" }), "2025-12-11T23:00:00.120Z stop: SIGTERM"]
]

describe("lines", () => {
  for (const [line, expected] of cases) {
    it(`say ${line._tag} in one line, time and subject first`, () => {
      assert.strictEqual(Lines.text(line), expected)
    })
  }

  it("are JSON with the same facts", () => {
    assert.deepStrictEqual(JSON.parse(Lines.json(Line.alert({ decision }))), {
      at: "2025-12-11T23:00:00.120Z",
      kind: "alert",
      decision: "Opened",
      service: "redis",
      incident: "redis-1",
      rule: "group",
      why: "Redis refused the connection: 3 failures in a row",
      channels: ["ops", "hook"]
    })
    for (const [line] of cases) {
      assert.containsAllKeys(JSON.parse(Lines.json(line)) as object, ["at", "kind"])
    }
  })
})
