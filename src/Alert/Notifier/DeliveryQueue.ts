/**
 * The line of alerts in front of one channel, and the fiber that takes them to it, in their order.
 * What is late comes as one message; what the channel refuses for good waits for what is decided.
 *
 * @internal
 */
import { Clock, Duration, Effect, Either, Option } from "effect"
import { sentence } from "../../Common/Sentences.js"
import type { Alert } from "../Alert.js"
import { AlertChannelError } from "../AlertChannelError.js"
import type { RegisteredChannel } from "../ChannelRegistry.js"
import type { Trouble } from "../Outbox.js"
import { attempt, type Backoff, delay } from "./attempt.js"
import * as Delivery from "./Delivery.js"

/** A channel that failed for good. */
export interface Disabled {
  readonly channel: string
  readonly why: string
}

/** A channel that will never take these alerts; their keys are those in the outbox. */
export interface Refused extends Disabled {
  readonly pending: ReadonlyArray<Alert>
  readonly keys: ReadonlyArray<string>
}

/** When a channel that takes nothing counts as away: after so many attempts, and so long. */
export interface Patience {
  readonly attempts: number
  readonly after: Duration.Duration
}

export interface Options {
  readonly backoff: Backoff
  readonly patience: () => Patience
  /** How many alerts may wait one by one. */
  readonly capacity: number
}

export interface Ends {
  readonly acknowledge: (keys: ReadonlyArray<string>) => Effect.Effect<void>
  /**
   * These are tried now, in the delivery with this key; nothing, or a late key marked as clear, where it
   * is clear that they did not arrive. It comes back when that is written, or when it cannot be.
   */
  readonly attempting: (
    keys: ReadonlyArray<string>,
    delivery: string | undefined
  ) => Effect.Effect<void>
  /** Why the channel takes nothing now, or that it does. */
  readonly note: (channel: string, trouble: Trouble | undefined) => Effect.Effect<void>
  readonly disabled: (disabled: Disabled) => Effect.Effect<void>
  readonly refused: (refused: Refused) => Effect.Effect<void>
  readonly unreachable: (away: Disabled) => Effect.Effect<void>
  /** What is new may come to it again. */
  readonly reached: (channel: string) => Effect.Effect<void>
  /** Comes back when this program may send. */
  readonly turn: Effect.Effect<void>
}

export interface Health {
  /** Alerts that wait, those in one story counted apart. */
  readonly waiting: number
  readonly failures: number
  readonly disabled: string | undefined
  readonly lastError: string | undefined
}

export interface DeliveryQueue {
  readonly add: (alerts: ReadonlyArray<Alert>) => Effect.Effect<void>
  /** Takes alerts out, and tells which ones they stood for. */
  readonly drop: (keys: ReadonlySet<string>) => Effect.Effect<ReadonlyArray<string>>
  /** Ends that need not be told where their beginning was not; what went, with its beginnings. */
  readonly cancel: (ends: ReadonlyArray<Alert>) => Effect.Effect<ReadonlyArray<string>>
  /** Tries it once more now, also one that asked to be left alone: it is another one, or somebody says so. */
  readonly enable: Effect.Effect<void>
  /** Tries a channel that failed once more now, unless it asked to be left alone. */
  readonly hurry: Effect.Effect<void>
  /** Waits until nothing waits that could be sent. */
  readonly idle: Effect.Effect<void>
  readonly waiting: Effect.Effect<ReadonlyArray<Alert>>
  readonly health: Effect.Effect<Health>
  /** The channel is no more: nothing is tried from now on, and of what is tried only a receipt counts. */
  readonly close: Effect.Effect<void>
  /** Takes alerts to the channel until the line is closed. */
  readonly run: Effect.Effect<void>
}

export const make = (
  name: string,
  find: Effect.Effect<Option.Option<RegisteredChannel>>,
  late: boolean,
  options: Options,
  ends: Ends
): Effect.Effect<DeliveryQueue> =>
  Effect.gen(function* () {
    const work = yield* Effect.makeLatch(false)
    const rest = yield* Effect.makeLatch(true)
    const hurried = yield* Effect.makeLatch(false)
    const enabled = yield* Effect.makeLatch(false)
    const over = yield* Effect.makeLatch(false)
    let isClosed = false
    let parcels: ReadonlyArray<Delivery.Delivery> = []
    let failures = 0
    let isLate = late
    let disabled: string | undefined
    // Since when it takes nothing, and whether that was said.
    let failingSince: number | undefined
    let isAway = false
    let lastError: string | undefined
    // What an earlier run noted is old.
    let isNoted = true

    const reached = Effect.suspend(() => {
      const wasAway = isAway
      isAway = false
      return wasAway ? ends.reached(name) : Effect.void
    })

    const settle = Effect.suspend(() => {
      if (isClosed) return Effect.zipRight(rest.open, work.open)
      const isBusy = parcels.length > 0 && disabled === undefined
      if (parcels.length === 0) isLate = false
      return isBusy
        ? Effect.zipRight(rest.close, work.open)
        : Effect.zipRight(work.close, rest.open)
    })

    const remove = (keys: ReadonlySet<string>) =>
      Effect.suspend(() => {
        const [left, gone] = Delivery.without(parcels, keys)
        parcels = left
        return Effect.as(settle, gone)
      })

    const replace = (parcel: Delivery.Delivery, by: ReadonlyArray<Delivery.Delivery>) => {
      parcels = parcels.flatMap((one) => (one === parcel ? by : [one]))
    }

    /** It is clear that it did not arrive. */
    const takeBack = (parcel: Delivery.Delivery, parts: ReadonlyArray<Delivery.Delivery>) =>
      Effect.suspend(() => {
        replace(parcel, parts)
        const known = Delivery.remembered(parts)
        return Effect.forEach(known, ([keys, delivery]) => ends.attempting(keys, delivery), {
          discard: true
        })
      })

    /** From now on it may have arrived, also where this program ends before it knows. */
    const tried = (head: Delivery.Delivery) =>
      Effect.gen(function* () {
        if (head.isTried) return head
        const parcel = { ...head, isTried: true }
        replace(head, [parcel])
        yield* ends.attempting(parcel.keys, parcel.alert.key)
        return parcel
      })

    const deliver = Effect.gen(function* () {
      yield* Effect.race(ends.turn, over.await)
      if (isClosed) return
      // One that is enabled from here on, such as a changed one, need not wait for what this one says.
      yield* enabled.close
      const channel = yield* find
      if (Option.isNone(channel)) return yield* refuse(unknownChannel(name))
      if (isLate && channel.value.collapses) parcels = Delivery.joined(parcels)
      const [first] = parcels
      if (first === undefined) return yield* settle
      const now = yield* Clock.currentTimeMillis
      const isAsItIs = first.isTried || !channel.value.collapses
      const head = isAsItIs ? first : Delivery.dated(first, now)
      replace(first, [head])
      const parcel = yield* tried(head)
      const sent = yield* attempt(channel.value, parcel.alert, failures)
      if (isClosed) return Either.isRight(sent) ? yield* ends.acknowledge(parcel.keys) : undefined
      if (Either.isLeft(sent)) {
        // What is clear of this attempt says nothing of one before it.
        if (!head.isTried && sent.left.unclear !== true) {
          yield* takeBack(parcel, Delivery.returned(parcel))
        }
        return yield* fail(sent.left, parcel)
      }
      yield* answered
      lastError = undefined
      yield* ends.acknowledge(parcel.keys)
      if (isNoted) yield* ends.note(name, undefined)
      isNoted = false
      yield* remove(new Set(parcel.keys))
    })

    /** Also a refusal is an answer: the channel is there. */
    const answered = Effect.suspend(() => {
      failures = 0
      failingSince = undefined
      return reached
    })

    const fail = (error: AlertChannelError, parcel: Delivery.Delivery) =>
      Effect.gen(function* () {
        lastError = error.message
        if (error.reason === "Refused") return yield* leaveOut(error, parcel)
        if (error.reason !== "Transient") return yield* refuse(error)
        const now = yield* Clock.currentTimeMillis
        failures += 1
        isLate = true
        failingSince ??= now
        if (failures === 1) yield* Effect.logWarning(error.message)
        const left = yield* lookAway(error, failingSince, now)
        const wait = yield* delay(failures, error, options.backoff)
        // The attempt that shows that it is away is made when it is time for that.
        const pause =
          error.retryAfter === undefined ? Math.min(Duration.toMillis(wait), left) : wait
        yield* note(error, Duration.toMillis(pause))
        const woken = Effect.raceAll([Effect.sleep(pause), enabled.await, over.await])
        yield* error.retryAfter === undefined ? Effect.race(woken, hurried.await) : woken
        yield* hurried.close
      })

    /** How long until it counts as away, where only the time is missing. */
    const lookAway = ({ problem }: AlertChannelError, since: number, now: number) =>
      Effect.gen(function* () {
        const { after, attempts } = options.patience()
        const left = since + Duration.toMillis(after) - now
        if (isAway || failures < attempts) return Number.POSITIVE_INFINITY
        if (left > 0) return left
        isAway = true
        const why = `${problem}, ${failures} times within ${Duration.format(Duration.millis(now - since))}`
        yield* Effect.logError(
          `Channel ${name} cannot be reached: ${why}. Its fallback is notified instead`
        )
        yield* ends.unreachable({ channel: name, why })
        return Number.POSITIVE_INFINITY
      })

    /** One of several may be what it does not take: they go one by one. */
    const leaveOut = (error: AlertChannelError, parcel: Delivery.Delivery) =>
      Effect.gen(function* () {
        yield* answered
        if (parcel.parts.length > 1) {
          isLate = false
          return yield* takeBack(parcel, parcel.parts)
        }
        yield* Effect.logError(`${sentence(error.message)} This alert is not sent there again`)
        yield* remove(new Set(parcel.keys))
        const pending = Delivery.opened(parcel).map(({ alert }) => alert)
        yield* ends.refused({ channel: name, why: error.problem, pending, keys: parcel.keys })
      })

    const note = ({ problem }: AlertChannelError, wait: number | null) =>
      Effect.flatMap(Clock.currentTimeMillis, (at) => {
        isNoted = true
        const nextAttempt = wait === null ? null : at + wait
        return ends.note(name, { at, failures, error: problem, nextAttempt })
      })

    const refuse = (error: AlertChannelError) =>
      Effect.gen(function* () {
        disabled = error.problem
        lastError = error.message
        isLate = true
        yield* Effect.logError(`${sentence(error.message)} The channel is disabled`)
        yield* settle
        yield* note(error, null)
        yield* ends.disabled({ channel: name, why: error.problem })
      })

    return {
      add: (alerts) =>
        Effect.suspend(() => {
          parcels = [...parcels, ...Delivery.fromAlerts(alerts)]
          const excess = parcels.length - options.capacity
          // Half at once, so that not every alert from then on makes a story anew.
          const old = excess > 0 ? excess + Math.floor(options.capacity / 2) : 0
          const few = Delivery.joined(parcels.slice(0, old))
          parcels = [
            ...(old > 0 ? few.map((one) => (one.isTried ? one : Delivery.sealed(one))) : few),
            ...parcels.slice(old)
          ]
          return settle
        }),
      drop: remove,
      cancel: (over) =>
        Effect.gen(function* () {
          const gone: Array<string> = []
          for (const end of over) {
            const found = Delivery.cancelled(parcels, end)
            parcels = found?.[0] ?? [...parcels, Delivery.single(end)]
            gone.push(...(found?.[1] ?? []))
          }
          // Nothing is left to find out with whether it is back: the next alert does.
          if (parcels.length === 0) yield* reached
          yield* settle
          return gone
        }),
      enable: Effect.suspend(() => {
        disabled = undefined
        return Effect.all([answered, settle, enabled.open], { discard: true })
      }),
      hurry: Effect.suspend(() => (failures > 0 ? hurried.open : Effect.void)),
      idle: rest.await,
      waiting: Effect.sync(() => parcels.flatMap(Delivery.opened).map(({ alert }) => alert)),
      health: Effect.sync(() => ({
        waiting: parcels.reduce((sum, { keys }) => sum + keys.length, 0),
        failures,
        disabled,
        lastError
      })),
      close: Effect.suspend(() => {
        isClosed = true
        return Effect.zipRight(over.open, settle)
      }),
      run: Effect.zipRight(work.await, deliver).pipe(
        Effect.repeat({ until: () => isClosed }),
        Effect.asVoid
      )
    }
  })

const unknownChannel = (name: string) =>
  new AlertChannelError({
    reason: "Misconfigured",
    channel: name,
    problem: "expected a channel of this name, found none; name it under alerts.channels"
  })
