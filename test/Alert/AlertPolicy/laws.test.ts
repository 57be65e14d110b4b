/**
 * What holds for every trace: results, time, quiet times, restarts, channels that fail and return.
 */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc, HashMap, Schema } from "effect"
import type { Alert } from "../../../src/Alert/Alert.js"
import * as AlertPolicy from "../../../src/Alert/AlertPolicy.js"
import type { Status } from "../../../src/Check/CheckResult.js"
import { check, type Event, hours, minutes, policy, restarted, seconds, start } from "../trace.js"

const services = ["redis", "bot", "web"] as const
const channels = ["ops", "hook", "log", "callback"] as const

const rules = (options: AlertPolicy.Options = {}) =>
  policy({
    checks: [
      check("redis", { interval: "20 seconds", failureThreshold: 1, recoveryThreshold: 1 }),
      check("bot", { interval: "20 seconds", failureThreshold: 2, dependsOn: ["redis"] }),
      check("web", { interval: "20 seconds", recoveryThreshold: 1, critical: false })
    ],
    routes: [
      { severity: "unhealthy", to: ["ops", "callback"], fallback: "hook" },
      { severity: "degraded", to: ["log"] }
    ],
    channels: { callback: { grouped: false, reminders: false } },
    cap: { messages: 4, within: "1 hour" },
    flapping: { openings: 3, within: "10 minutes", calm: "3 minutes" },
    reminders: ["1 minute", "2 minutes"],
    staleAfter: 3,
    ...options
  })

/** What happens to Holter, or to a channel. */
type Happening =
  | { readonly _tag: "event"; readonly make: (at: number) => Event }
  | { readonly _tag: "fails" | "heals" | "disabled" | "away"; readonly channel: string }

interface Tick {
  readonly gap: number
  readonly what: Happening
}

const event = (make: (at: number) => Event): Happening => ({ _tag: "event", make })
const service = fc.constantFrom(...services)
const channel = fc.constantFrom("ops", "ops", "ops", ...channels)
const whom = fc.constantFrom<ReadonlyArray<string> | null>(null, ["redis"], ["bot", "web"])

const beat = fc
  .tuple(
    service,
    fc.constantFrom<Status>("healthy", "healthy", "degraded", "unhealthy", "unhealthy", "unknown")
  )
  .map(([name, status]) =>
    event((at) => ({
      _tag: "Result",
      at,
      service: name,
      status,
      message: status,
      retryAfter: null
    }))
  )

const other: fc.Arbitrary<Happening> = fc.oneof(
  fc.constant(event((at) => ({ _tag: "Time", at }))),
  fc.constant(event((at) => ({ _tag: "Restarted", at }))),
  whom.map((names) =>
    event((at) => ({
      _tag: "MaintenanceStarted",
      at,
      id: "m",
      services: names,
      until: null,
      why: "move"
    }))
  ),
  fc.constant(event((at) => ({ _tag: "MaintenanceEnded", at, id: "m" }))),
  whom.map((names) =>
    event((at) => ({
      _tag: "Silenced",
      at,
      id: "s",
      services: names,
      until: at + minutes(3),
      why: "known"
    }))
  ),
  fc.constant(event((at) => ({ _tag: "Unsilenced", at, id: "s" }))),
  service.map((name) => event((at) => ({ _tag: "Acknowledged", at, service: name, by: "ann" }))),
  channel.map((name) => event((at) => ({ _tag: "ChannelEnabled", at, channel: name }))),
  channel.map((name): Happening => ({ _tag: "fails", channel: name })),
  channel.map((name): Happening => ({ _tag: "fails", channel: name })),
  channel.map((name): Happening => ({ _tag: "disabled", channel: name })),
  channel.map((name): Happening => ({ _tag: "away", channel: name })),
  channel.map((name): Happening => ({ _tag: "away", channel: name })),
  channel.map((name): Happening => ({ _tag: "heals", channel: name })),
  channel.map((name): Happening => ({ _tag: "disabled", channel: name }))
)

const traces: fc.Arbitrary<ReadonlyArray<Tick>> = fc.array(
  fc.record({
    gap: fc.constantFrom(1, 5, 11, 20, 20, 20, 45, 400).map(seconds),
    what: fc.oneof({ weight: 5, arbitrary: beat }, { weight: 1, arbitrary: other })
  }),
  { maxLength: 120 }
)

/** Everything becomes well: quiet times end, channels return, checks are healthy for a while. */
const happyEnd: ReadonlyArray<Tick> = [
  ...channels.map((name): Tick => ({ gap: 1000, what: { _tag: "heals", channel: name } })),
  { gap: 1000, what: event((at) => ({ _tag: "MaintenanceEnded", at, id: "m" })) },
  ...channels.map((name): Tick => {
    return { gap: 1000, what: event((at) => ({ _tag: "ChannelEnabled", at, channel: name })) }
  }),
  ...Array.from({ length: 40 }, (_, index): Tick => {
    const name = services[index % services.length] ?? "redis"
    const what = event((at) => ({
      _tag: "Result",
      at,
      service: name,
      status: "healthy",
      message: "well",
      retryAfter: null
    }))
    return { gap: seconds(7), what }
  }),
  { gap: seconds(15), what: event((at) => ({ _tag: "Time", at })) }
]

interface Run {
  readonly state: AlertPolicy.State
  readonly decisions: ReadonlyArray<AlertPolicy.Decision>
  /** What each channel took, in order. */
  readonly taken: ReadonlyArray<Alert>
  /** What is owed still. */
  readonly pending: ReadonlyArray<Alert>
}

type Between = (state: AlertPolicy.State) => AlertPolicy.State

/** Folds a trace beside an outbox: a channel that fails takes nothing until it heals. */
const play = (
  under: AlertPolicy.Policy,
  trace: ReadonlyArray<Tick>,
  between: Between = (state) => state
): Run => {
  let state = AlertPolicy.initial
  let at = start
  const decisions: Array<AlertPolicy.Decision> = []
  const failing = new Set<string>()
  const taken: Array<Alert> = []
  let pending: ReadonlyArray<Alert> = []
  const deliver = () => {
    const isStuck = (alert: Alert) =>
      failing.has(alert.channel) || Object.hasOwn(state.disabled, alert.channel)
    taken.push(...pending.filter((alert) => !isStuck(alert)))
    pending = pending.filter(isStuck)
  }
  const feed = (one: Event) => {
    const [next, decided] = AlertPolicy.advance(under, between(state), one)
    state = next
    decisions.push(...decided)
    pending = [...pending, ...decided.flatMap(({ alerts }) => alerts)]
    deliver()
  }
  feed(restarted(0))
  for (const { gap, what } of trace) {
    at += gap
    if (what._tag === "event") feed(what.make(at))
    else if (what._tag === "fails") failing.add(what.channel)
    else if (what._tag === "away") {
      failing.add(what.channel)
      const own = pending.filter((alert) => alert.channel === what.channel)
      feed({ ...what, _tag: "ChannelUnreachable", at, why: "no answer", pending: own })
    } else if (what._tag === "heals") {
      failing.delete(what.channel)
      deliver()
      if (Object.hasOwn(state.unreachable, what.channel)) {
        feed({ ...what, _tag: "ChannelReached", at })
      }
    } else if (!Object.hasOwn(state.disabled, what.channel)) {
      // What is owed up to this moment is part of what it did not take.
      feed({ _tag: "Time", at })
      const isHandedOn = (alert: Alert) =>
        alert.channel === what.channel && AlertPolicy.isHandedOn(under, state, alert)
      const handedOn = pending.filter(isHandedOn)
      pending = pending.filter((alert) => !isHandedOn(alert))
      feed({
        _tag: "ChannelDisabled",
        at,
        channel: what.channel,
        why: "gone",
        pending: handedOn
      })
    }
  }
  return { state, decisions, taken, pending }
}

const holds = (law: (trace: ReadonlyArray<Tick>) => void, numRuns = 300) =>
  fc.assert(fc.property(traces, law), { numRuns })

const openings = new Set(["opened", "stale", "flapping"])

/**
 * The kinds that a channel was told of an incident, in order, and whether it is an end that another
 * channel was owed.
 */
const tellings = (alerts: ReadonlyArray<Alert>) => {
  const all = new Map<string, Array<{ readonly kind: string; readonly handed: boolean }>>()
  for (const alert of alerts) {
    for (const { incident } of alert.subjects) {
      const key = `${alert.channel} ${incident}`
      const entry = {
        kind: alert.kind,
        handed: alert.kind === "resolved" && alert.insteadOf !== null
      }
      all.set(key, [...(all.get(key) ?? []), entry])
    }
  }
  return all
}

/** A check without results is stale, whatever it said before. */
const expectTrue = (
  decisions: ReadonlyArray<AlertPolicy.Decision>,
  last: ReadonlyMap<string, Status>
) => {
  for (const { kind, subjects } of decisions.flatMap(({ alerts }) => alerts)) {
    for (const { over, service: name, severity, status } of subjects) {
      if (over || status === "unknown") continue
      const found = last.get(name)
      assert.notStrictEqual(found, "healthy", `${kind} ${name}`)
      if (found === "degraded") assert.strictEqual(severity, "degraded", `${kind} ${name}`)
    }
  }
}

/** So that a stage that changes it throws. */
const frozen = <A>(value: A): A => {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value
  // What a HashMap keeps inside is its own.
  if (HashMap.isHashMap(value)) {
    for (const one of HashMap.values(value)) frozen(one)
    return value
  }
  Object.values(value).forEach(frozen)
  return Object.freeze(value)
}

describe("AlertPolicy, for every trace", () => {
  it("opened and resolved alternate for each incident and channel", () => {
    holds((trace) => {
      const { pending, taken } = play(rules(), trace)
      for (const [who, told] of tellings([...taken, ...pending])) {
        const kinds = told.map(({ kind }) => kind)
        const opened = kinds.filter((kind) => openings.has(kind)).length
        const resolved = kinds.filter((kind) => kind === "resolved").length
        assert.isAtMost(opened, 1, who)
        assert.isAtMost(resolved, 1, who)
        assert.isAtMost(kinds.filter((kind) => kind === "escalated").length, 1, who)
        if (told[0]?.handed !== true) assert.isTrue(openings.has(kinds[0] ?? ""), who)
        if (resolved > 0) assert.strictEqual(kinds.at(-1), "resolved", who)
      }
    })
  })

  it("who took an opening takes its end, or its stand-in does, and nothing stays owed", () => {
    holds((trace) => {
      const { pending, state, taken } = play(rules(), [...trace, ...happyEnd])
      assert.deepStrictEqual(pending, [])
      assert.deepStrictEqual(state.incidents, {})
      assert.deepStrictEqual(state.ended, [])
      const ends = taken.filter(({ kind }) => kind === "resolved")
      const all = tellings(taken)
      const isTold = (who: string) => all.get(who)?.some(({ kind }) => openings.has(kind)) === true
      for (const who of all.keys()) {
        if (!isTold(who)) continue
        const [name, incident] = who.split(" ")
        // A stand-in that was told of the outage is owed the end itself: that one is its own, unless
        // it is handed on to it, which its key shows.
        const hasEnd = ends.some(
          (alert) =>
            (alert.channel === name ||
              (alert.insteadOf === name &&
                (alert.key.includes(`/${name}/`) || !isTold(`${alert.channel} ${incident}`)))) &&
            alert.subjects.some((subject) => subject.incident === incident)
        )
        assert.isTrue(hasEnd, who)
      }
    })
  })

  it("nobody who was not told of an incident is told of its end", () => {
    holds((trace) => {
      const { taken } = play(rules(), [...trace, ...happyEnd])
      for (const [who, told] of tellings(taken)) {
        if (told[0]?.handed === true) continue
        assert.isTrue(openings.has(told[0]?.kind ?? ""), who)
      }
    })
  })

  it("nothing is opened, escalated or reminded of that the last result does not say", () => {
    holds((trace) => {
      const last = new Map<string, Status>()
      const under = rules({ routes: [...rules().routes, { severity: "degraded", to: ["ops"] }] })
      let state = AlertPolicy.initial
      let at = start
      for (const { gap, what } of [{ gap: 0, what: event(() => restarted(0)) }, ...trace]) {
        at += gap
        if (what._tag !== "event") continue
        const one = what.make(at)
        // What is decided at a time before this event is judged by what was known then.
        const [later, before] = AlertPolicy.advance(under, state, { _tag: "Time", at: at - 1 })
        expectTrue(before, last)
        const [next, decisions] = AlertPolicy.advance(under, later, one)
        state = next
        if (one._tag === "Result" && one.status !== "unknown") last.set(one.service, one.status)
        expectTrue(decisions, last)
      }
    }, 1000)
  })

  it("no more messages of a check on a channel than the cap, and an end is never one of them", () => {
    const tight = rules({
      cap: { messages: 2, within: "1 hour" },
      flapping: { openings: 1000, within: "1 hour", calm: "3 minutes" }
    })
    holds((trace) => {
      const { pending, taken } = play(tight, trace)
      const counted = [...taken, ...pending].filter(({ kind }) => kind !== "resolved")
      for (const name of channels) {
        for (const service of services) {
          const times = counted
            .filter((alert) => alert.channel === name)
            .filter(({ subjects }) => subjects.some((one) => one.service === service))
            .map(({ at }) => at.epochMillis)
            .sort((a, b) => a - b)
          times.forEach((time, index) => {
            const third = times[index + 2]
            if (third !== undefined) assert.isAtLeast(third - time, hours(1))
          })
        }
      }
    })
  })

  it("two reminders of an incident are at least the first gap apart", () => {
    const calm = rules({
      flapping: { openings: 1000, within: "1 hour", calm: "3 minutes" },
      reminders: ["3 minutes", "5 minutes"],
      cap: { messages: 1000, within: "1 hour" }
    })
    holds((trace) => {
      const { decisions } = play(calm, trace)
      const last = new Map<string, number>()
      for (const { alerts } of decisions) {
        for (const alert of alerts) {
          if (alert.kind === "resolved") continue
          const key = `${alert.channel} ${alert.subjects[0].incident}`
          const before = last.get(key)
          last.set(key, alert.at.epochMillis)
          if (alert.kind !== "reminder" || before === undefined) continue
          assert.isAtLeast(alert.at.epochMillis - before, minutes(3))
        }
      }
    })
  })

  it("each key stands for one alert", () => {
    holds((trace) => {
      const { decisions } = play(rules(), trace)
      const keys = decisions.flatMap(({ alerts }) => alerts.map(({ key }) => key))
      assert.strictEqual(new Set(keys).size, keys.length)
    })
  })

  it("a state that was written and read back owes the same", () => {
    const codec = Schema.parseJson(AlertPolicy.State)
    const reread = (state: AlertPolicy.State) =>
      Schema.decodeSync(codec)(Schema.encodeSync(codec)(state))
    holds((trace) => {
      const kept = play(rules(), trace)
      const written = play(rules(), trace, reread)
      assert.deepStrictEqual(written.decisions, kept.decisions)
    }, 60)
  })

  it("decisions and events can be written and read back", () => {
    const Decisions = Schema.parseJson(Schema.Array(AlertPolicy.Decision))
    holds((trace) => {
      const { decisions } = play(rules(), trace)
      const text = Schema.encodeSync(Decisions)(decisions)
      assert.deepStrictEqual(Schema.decodeSync(Decisions)(text), decisions)
    }, 30)
  })

  it("every result is answered by a decision about its service", () => {
    holds((trace) => {
      let state = AlertPolicy.initial
      let at = start
      for (const { gap, what } of trace) {
        at += gap
        if (what._tag !== "event") continue
        const one = what.make(at)
        const [next, decisions] = AlertPolicy.advance(rules(), state, one)
        state = next
        if (one._tag !== "Result") continue
        assert.isTrue(decisions.some((decision) => decision.service === one.service))
      }
    }, 100)
  })

  it("changes nothing of what it was given", () => {
    const written = Schema.encodeSync(Schema.parseJson(AlertPolicy.State))
    holds((trace) => {
      const seen: Array<readonly [AlertPolicy.State, string]> = []
      play(rules(), trace, (state) => {
        seen.push([frozen(state), written(state)])
        return state
      })
      for (const [state, before] of seen) assert.strictEqual(written(state), before)
    }, 50)
  })

  it("asks for the time only in the future, so that a loop that sleeps until then ends", () => {
    holds((trace) => {
      const { state } = play(rules(), trace)
      const due = AlertPolicy.due(state)
      if (due !== undefined) {
        assert.isAbove(due, state.now - state.offset)
        const [next] = AlertPolicy.step(rules(), state, { _tag: "Time", at: due })
        assert.isAbove(AlertPolicy.due(next) ?? Number.POSITIVE_INFINITY, due)
      }
    })
  })
})
