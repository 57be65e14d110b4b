/** What a person reads. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime } from "effect"
import type { Alert, Kind } from "../../src/Alert/Alert.js"
import * as AlertDocument from "../../src/Alert/AlertDocument.js"
import * as AlertText from "../../src/Alert/AlertText.js"
import { collapse } from "../../src/Alert/Notifier/collapse.js"
import { alert } from "./alerts.js"
import { minutes, start } from "./trace.js"

const at = { at: minutes(5) }
const titleOf = (kind: Kind) => AlertText.title(alert(kind, "redis", at))

describe("AlertText", () => {
  it("says in one line what happened", () => {
    assert.deepStrictEqual(
      (
        [
          "opened",
          "stale",
          "flapping",
          "escalated",
          "reminder",
          "resolved",
          "story",
          "test"
        ] as const
      ).map(titleOf),
      [
        "redis is unhealthy",
        "redis has no results any more",
        "redis goes down and comes back again and again",
        "redis became worse: unhealthy",
        "redis is still unhealthy, since 2026-01-01 00:00:00 UTC",
        "redis is healthy again after 5m",
        "redis is unhealthy, since 2026-01-01 00:00:00 UTC",
        "A test: alerts of redis arrive here"
      ]
    )
  })

  it("names the root cause, counts the others, and lists them below", () => {
    const redis = alert("opened", "redis", at)
    const [web] = alert("opened", "web", at).subjects
    const both: Alert = { ...redis, subjects: [redis.subjects[0], web], affected: ["bot", "site"] }
    assert.strictEqual(AlertText.title(both), "redis is unhealthy (+3 affected)")
    assert.deepStrictEqual(AlertText.lines(both), [
      "redis: unhealthy since 2026-01-01 00:00:00 UTC. it does not answer",
      "web: unhealthy since 2026-01-01 00:00:00 UTC. it does not answer",
      "Down because of it, without messages of their own: bot, site"
    ])
  })

  it("says what to do and where to look, for each service below its line", () => {
    const redis = alert("opened", "redis", at)
    const [web] = alert("opened", "web", at).subjects
    const [first] = redis.subjects
    const link = 'https://grafana.example.com/?a=1&b="2"'
    const both: Alert = {
      ...redis,
      subjects: [
        { ...first, label: "Cache <eu>", link, runbook: "https://wiki.example.com/redis" },
        { ...web, runbook: "Restart it:\n  systemctl restart web\u001b[2J" }
      ],
      affected: ["bot"],
      affectedLabels: ["The bot"]
    }
    assert.deepStrictEqual(AlertText.lines(both), [
      "Cache <eu>: unhealthy since 2026-01-01 00:00:00 UTC. it does not answer",
      "Runbook: https://wiki.example.com/redis",
      `Link: ${link}`,
      "web: unhealthy since 2026-01-01 00:00:00 UTC. it does not answer",
      "Runbook: Restart it: systemctl restart web\u{FFFD}[2J",
      "Down because of it, without messages of their own: The bot"
    ])
    const markup = { text: (text: string) => `(${text})`, link: (words: string) => `[${words}]` }
    assert.deepStrictEqual(AlertText.lines(both, markup).slice(1, 3), ["[Runbook]", "[Link]"])
  })

  it("says of what is over what it was, and of what is no longer checked that it is", () => {
    const over = alert("resolved", "redis", at)
    assert.deepStrictEqual(AlertText.lines(over), [
      "redis: healthy; was unhealthy for 5m, since 2026-01-01 00:00:00 UTC. it answers"
    ])
    const gone: Alert = { ...over, subjects: [{ ...over.subjects[0], status: "unknown" }] }
    assert.strictEqual(AlertText.title(gone), "redis is no longer checked; it was unhealthy for 5m")
  })

  it("says in whose place it comes, and what happened meanwhile", () => {
    const one: Alert = { ...alert("story", "redis", at), insteadOf: "ops", story: ["a", "b"] }
    assert.deepStrictEqual(AlertText.text(one).split("\n").slice(2), [
      "This comes late. What happened meanwhile:",
      "a",
      "b",
      "This was meant for the channel ops, which does not take it."
    ])
  })

  it("says of one that is late when it was decided, and when it was sent", () => {
    const late = {
      ...alert("opened", "redis", at),
      sent: DateTime.unsafeMake(start + minutes(65)),
      timeZone: "Europe/Berlin"
    }
    assert.strictEqual(
      AlertText.lines(late)[1],
      "This comes late: decided 2026-01-01 01:05:00 +01:00, sent 2026-01-01 02:05:00 +01:00. `holter status` says what is true now."
    )
    assert.strictEqual(AlertDocument.make(late).sent_at, "2026-01-01T01:05:00.000Z")
    assert.isNull(AlertDocument.make(alert("opened", "redis")).sent_at)
  })

  it("has its times in the zone of who reads them", () => {
    const one = { ...alert("reminder", "redis", at), timeZone: "Europe/Berlin" }
    assert.strictEqual(
      AlertText.title(one),
      "redis is still unhealthy, since 2026-01-01 01:00:00 +01:00"
    )
    assert.deepStrictEqual(AlertText.lines(one), [
      "redis: unhealthy since 2026-01-01 01:00:00 +01:00. it does not answer"
    ])
    const story = collapse([one, { ...alert("resolved", "redis", at), timeZone: "Europe/Berlin" }])
    assert.match(story.story[0] ?? "", /^2026-01-01 01:05:00 \+01:00 redis is still unhealthy/)
  })

  it("counts only who is still affected", () => {
    const [web] = alert("resolved", "web", at).subjects
    const story: Alert = { ...alert("story", "redis", at) }
    const both: Alert = { ...story, subjects: [story.subjects[0], web] }
    assert.notInclude(AlertText.title(both), "affected")
    const over: Alert = { ...alert("resolved", "redis", at) }
    const [first] = over.subjects
    assert.include(AlertText.title({ ...over, subjects: [first, web] }), "(+1 affected)")
  })
})
