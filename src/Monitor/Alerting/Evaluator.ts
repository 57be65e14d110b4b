/**
 * Folds what happens into the state of the alert policy, writes every step to the journal, and hands
 * over what is owed only then.
 *
 * @internal
 */
import { Array as Arr, Clock, Deferred, Effect } from "effect"
import type { Alert } from "../../Alert/Alert.js"
import * as AlertPolicy from "../../Alert/AlertPolicy.js"
import type * as Maintenance from "../../Alert/Maintenance.js"
import type { News, Notifier } from "../../Alert/Notifier.js"
import * as Routes from "../../Alert/Routes.js"
import type { RegisteredCheck } from "../../Check/CheckRegistry.js"
import * as Entry from "../Journal/Entry.js"
import type { Journal } from "../Journal.js"
import type { Change, Input } from "./Input.js"
import type { Rules } from "./Rules.js"
import * as Windows from "./Windows.js"

export interface Evaluator {
  readonly state: () => AlertPolicy.State
  /** Comes back when all of it is written and handed over. */
  readonly take: (inputs: Iterable<Input>) => Effect.Effect<void>
  /** When the time is to be looked at again. */
  readonly due: () => number | undefined
}

export interface Options {
  readonly rules: Rules
  /** The checks that are registered now. */
  readonly checks: Effect.Effect<ReadonlyArray<RegisteredCheck>>
  readonly maintenance: ReadonlyArray<Maintenance.Window>
  readonly journal: Journal["Type"]
  readonly notifier: Notifier["Type"]
  readonly tell: (decision: AlertPolicy.Decision) => void
  /** Why it cannot be, where it is not taken. */
  readonly reloadAsked: (id: string) => string | undefined
}

type Event = AlertPolicy.Event.Event

export const make = (options: Options, initial: AlertPolicy.State): Evaluator => {
  const { journal, notifier, tell } = options
  let { rules } = options
  let windows = Windows.make(options.maintenance)
  const gone = new WeakSet<RegisteredCheck>()
  let state = initial
  let steps: Array<Entry.Commit> = []
  let isResting = false

  const fold = (
    event: Event,
    { removed = [], taken = [] }: Pick<Entry.Commit, "removed" | "taken"> = {}
  ): ReadonlyArray<AlertPolicy.Decision> => {
    if (event._tag === "Restarted") rules.expect(AlertPolicy.services(state))
    if (event._tag === "Remembered") rules.expect(AlertPolicy.services(event.state))
    const before = isResting ? AlertPolicy.resting(state) : state
    const [after, decisions] = AlertPolicy.step(rules.policy, before, event)
    state = after
    // What only adds to the counts is in the result's own row.
    if (taken.length > 0 || decisions.some((decision) => !Entry.isRoutine(decision))) {
      steps.push({ event, before, after, decisions, removed, taken })
    }
    return decisions
  }

  const send = (alerts: ReadonlyArray<Alert>) => {
    const [owed, over] = Arr.partition(alerts, (alert) =>
      AlertPolicy.isStoodIn(rules.policy, state, alert)
    )
    const cancel = over.length === 0 ? Effect.void : notifier.cancel(over)
    return Effect.zipRight(notifier.offer(owed), cancel)
  }

  /** All at once, so that the journal writes them together; they keep their order. */
  const settle = Effect.suspend(() => {
    const done = steps
    steps = []
    if (done.length === 0) return Effect.void
    const decisions = done.flatMap((step) => step.decisions)
    const told = Effect.sync(() => {
      for (const one of decisions) if (!Entry.isRoutine(one)) tell(one)
    })
    return Effect.forEach(done, journal.commit, { concurrency: "unbounded", discard: true }).pipe(
      Effect.zipRight(send(decisions.flatMap(({ alerts }) => alerts))),
      Effect.zipRight(told)
    )
  })

  const disable = (channel: string, why: string) =>
    Effect.gen(function* () {
      // What was decided until now waits at the channel, and may be handed on like the rest.
      yield* settle
      const at = yield* Clock.currentTimeMillis
      const waiting = yield* notifier.waiting(channel)
      const pending = waiting.filter((alert) => AlertPolicy.isHandedOn(rules.policy, state, alert))
      fold(
        { _tag: "ChannelDisabled", at, channel, why, pending },
        { removed: pending.map(({ key }) => key) }
      )
      yield* settle
      yield* notifier.drop(pending)
    })

  const befallen = (news: News) =>
    Effect.gen(function* () {
      yield* settle
      const at = yield* Clock.currentTimeMillis
      const { channel } = news
      switch (news._tag) {
        case "Unreachable": {
          const pending = yield* notifier.waiting(channel)
          return void fold({ _tag: "ChannelUnreachable", at, channel, why: news.why, pending })
        }
        case "Reached":
          return void fold({ _tag: "ChannelReached", at, channel })
        case "Refused": {
          const { keys, pending, why } = news
          fold({ _tag: "AlertRefused", at, channel, why, pending }, { removed: keys })
        }
      }
    })

  /** What an earlier run told, or owed, to channels that are neither there nor in a route. */
  const bury = (pending: ReadonlyArray<Alert>) =>
    Effect.gen(function* () {
      const suspects = new Set([
        ...AlertPolicy.unrouted(rules.policy, state),
        ...pending.flatMap(({ channel }) =>
          Routes.names(rules.policy.routes, channel) ? [] : [channel]
        )
      ])
      const gone = yield* Effect.filter(suspects, (channel) =>
        Effect.map(notifier.has(channel), (isThere) => !isThere)
      )
      const at = yield* Clock.currentTimeMillis
      for (const channel of gone) {
        const own = pending.filter((alert) => alert.channel === channel)
        const decisions = fold(
          { _tag: "ChannelRemoved", at, channel, pending: own },
          { removed: own.map(({ key }) => key) }
        )
        const whole = decisions.find(({ rule, service }) => service === null && rule === "route")
        if (whole !== undefined) yield* Effect.logWarning(whole.why)
      }
      yield* settle
      yield* notifier.offer(pending.filter(({ channel }) => !gone.includes(channel)))
    })

  /** The results before it are judged by the policy of then, those after it by the new one. */
  const reconfigure = (change: Change) =>
    Effect.gen(function* () {
      yield* settle
      const at = yield* Clock.currentTimeMillis
      rules = change.rules
      windows = Windows.make(change.maintenance)
      for (const check of change.gone) gone.add(check)
      fold(change.event(at))
      for (const channel of change.removedChannels) {
        const pending = yield* notifier.waiting(channel)
        fold(
          { _tag: "ChannelRemoved", at, channel, pending },
          { removed: pending.map(({ key }) => key) }
        )
        yield* settle
        yield* notifier.forget(channel)
      }
      for (const channel of change.changedChannels) {
        if (Object.hasOwn(state.disabled, channel)) fold({ _tag: "ChannelEnabled", at, channel })
        yield* settle
        yield* notifier.enable(channel)
      }
      yield* settle
    })

  const askToReload = ({ at, id }: Extract<Event, { _tag: "ReloadAsked" }>): void => {
    const problem = options.reloadAsked(id)
    if (problem === undefined) return
    const by = "the program that watches"
    fold({ _tag: "ReconfigurationRefused", at, asked: id, by, problems: [problem] })
  }

  /** What an event means for the channels, beside the alerts that are decided because of it. */
  const follow = (event: Event): Effect.Effect<void> => {
    if (event._tag === "ChannelEnabled") {
      return Effect.zipRight(settle, notifier.enable(event.channel))
    }
    if (event._tag === "Restarted") return Effect.zipRight(settle, bury(notifier.stranded))
    if (event._tag === "ReloadAsked") return Effect.sync(() => askToReload(event))
    return event._tag === "Remembered" ? Effect.zipRight(settle, bury(event.pending)) : Effect.void
  }

  const look = (now: number, registered: ReadonlyArray<RegisteredCheck>): void => {
    for (const event of windows.events(state, now)) fold(event)
    const due = AlertPolicy.due(state)
    if (due === undefined || due > now) return
    const removed = rules.keep(registered)
    if (removed.length > 0) fold(noLongerChecked(removed, now))
    fold({ _tag: "Time", at: now })
  }

  const one = (input: Input): Effect.Effect<void> => {
    switch (input._tag) {
      case "Checked":
        return Effect.suspend(() => {
          if (gone.has(input.check)) return Effect.void
          const closing = rules.learn(input.check)
          fold(AlertPolicy.Event.ofResult(input.result))
          const recorded = journal.record(input.result)
          return closing.length === 0
            ? recorded
            : Effect.zipRight(sayCycle(input.check.name, closing), recorded)
        })
      case "Said":
        return Effect.flatMap(Clock.currentTimeMillis, (now) => {
          const event = input.event(now)
          fold(event, { taken: input.request === undefined ? [] : [input.request] })
          return follow(event)
        })
      case "Disabled":
        return disable(input.channel, input.why)
      case "News":
        return befallen(input.news)
      case "Reconfigured":
        return reconfigure(input.change)
      case "Beating":
        return Effect.map(Clock.currentTimeMillis, (now) => {
          // From its first start all is as it was when Holter was.
          if (isResting && input.isBeating) state = AlertPolicy.expecting(rules.policy, state, now)
          isResting = !input.isBeating
        })
      case "Look":
        return Effect.void
    }
  }

  return {
    state: () => state,
    due: () => {
      const due = AlertPolicy.due(state)
      const change = windows.due()
      return due === undefined || (change !== undefined && change < due) ? change : due
    },
    take: (inputs) =>
      Effect.gen(function* () {
        rules.reach(yield* notifier.channels)
        for (const input of inputs) yield* harmless(one(input))
        yield* harmless(Effect.zipWith(Clock.currentTimeMillis, options.checks, look))
        yield* harmless(settle)
        for (const input of inputs) {
          if ("done" in input && input.done !== undefined) {
            yield* Deferred.succeed(input.done, undefined)
          }
        }
      })
  }
}

/** Without it a check that the program took out would become stale. */
const noLongerChecked = (names: ReadonlyArray<string>, at: number): Event => ({
  _tag: "Reconfigured",
  at,
  started: [],
  asked: null,
  by: "the program",
  why: `The program took out ${names.join(", ")}`
})

const sayCycle = (name: string, closing: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.logError(
    `${name} and ${closing.join(", ")} depend on each other: that ${name} depends on ${closing.join(", ")} is ignored. Take one of the two out of dependsOn`
  )

/** A mistake in one judgement must not end all of them. */
const harmless = (judgement: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.catchAllCause(judgement, (cause) =>
    Effect.logError("Something that happened could not be judged; alerting goes on", cause)
  )
