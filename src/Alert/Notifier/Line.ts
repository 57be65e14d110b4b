/**
 * The line of alerts in front of one channel, and the fiber that takes them to it, in their order.
 * What is late comes as one message; what the channel refuses for good waits for what is decided.
 *
 * @internal
 */
import { Array as Arr, Cause, Clock, Duration, Effect, Either, Option, Random } from "effect"
import { sentence } from "../../Common/Sentences.js"
import type { Alert } from "../Alert.js"
import { AlertChannelError, shortened } from "../AlertChannelError.js"
import type { RegisteredChannel } from "../ChannelRegistry.js"
import type { Trouble } from "../Outbox.js"
import { collapse } from "./collapse.js"

/** A channel that failed for good. */
export interface Disabled {
  readonly channel: string
  readonly why: string
}

export interface Options {
  readonly backoff: { readonly first: Duration.Duration; readonly most: Duration.Duration }
  /** How many alerts may wait one by one. */
  readonly capacity: number
}

export interface Ends {
  readonly acknowledge: (keys: ReadonlyArray<string>) => Effect.Effect<void>
  /** Why the channel takes nothing now, or that it does. */
  readonly note: (channel: string, trouble: Trouble | undefined) => Effect.Effect<void>
  readonly disabled: (disabled: Disabled) => Effect.Effect<void>
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

export interface Line {
  readonly add: (alerts: ReadonlyArray<Alert>) => Effect.Effect<void>
  /** Takes alerts out, and tells which ones they stood for. */
  readonly drop: (keys: ReadonlySet<string>) => Effect.Effect<ReadonlyArray<string>>
  readonly enable: Effect.Effect<void>
  /** Tries a channel that failed once more now, unless it asked to be left alone. */
  readonly hurry: Effect.Effect<void>
  /** Waits until nothing waits that could be sent. */
  readonly idle: Effect.Effect<void>
  readonly waiting: Effect.Effect<ReadonlyArray<Alert>>
  readonly health: Effect.Effect<Health>
  /** Takes alerts to the channel for ever. */
  readonly run: Effect.Effect<never>
}

/** One message, and the alerts that it stands for. */
interface Parcel {
  readonly alert: Alert
  readonly keys: ReadonlyArray<string>
}

export const make = (
  name: string,
  find: Effect.Effect<Option.Option<RegisteredChannel>>,
  late: boolean,
  options: Options,
  ends: Ends
): Effect.Effect<Line> =>
  Effect.gen(function* () {
    const work = yield* Effect.makeLatch(false)
    const rest = yield* Effect.makeLatch(true)
    const hurried = yield* Effect.makeLatch(false)
    let parcels: ReadonlyArray<Parcel> = []
    let failures = 0
    let isLate = late
    let disabled: string | undefined
    let lastError: string | undefined
    // What an earlier run noted is old.
    let isNoted = true

    const settle = Effect.suspend(() => {
      const isBusy = parcels.length > 0 && disabled === undefined
      if (parcels.length === 0) isLate = false
      return isBusy
        ? Effect.zipRight(rest.close, work.open)
        : Effect.zipRight(work.close, rest.open)
    })

    const remove = (keys: ReadonlySet<string>) =>
      Effect.suspend(() => {
        const isMeant = ({ alert, keys: own }: Parcel) =>
          keys.has(alert.key) || own.every((key) => keys.has(key))
        const gone = parcels.filter(isMeant).flatMap((parcel) => parcel.keys)
        parcels = parcels.filter((parcel) => !isMeant(parcel))
        return Effect.as(settle, gone)
      })

    const deliver = Effect.gen(function* () {
      yield* ends.turn
      const channel = yield* find
      if (Option.isNone(channel)) return yield* refuse(unknownChannel(name))
      const [parcel] = isLate && channel.value.collapses ? joined(parcels) : parcels
      if (parcel === undefined) return yield* settle
      const sent = yield* attempt(channel.value, parcel.alert, failures)
      if (Either.isLeft(sent)) return yield* fail(sent.left)
      failures = 0
      lastError = undefined
      yield* ends.acknowledge(parcel.keys)
      if (isNoted) yield* ends.note(name, undefined)
      isNoted = false
      yield* remove(new Set(parcel.keys))
    })

    const fail = (error: AlertChannelError) =>
      Effect.suspend(() => {
        lastError = error.message
        if (error.reason !== "Transient") return refuse(error)
        failures += 1
        isLate = true
        const told = failures === 1 ? Effect.logWarning(error.message) : Effect.void
        const backoff = Effect.flatMap(delay(failures, error, options), (wait) =>
          Effect.zipRight(note(error, Duration.toMillis(wait)), Effect.sleep(wait))
        )
        const pause = error.retryAfter === undefined ? Effect.race(backoff, hurried.await) : backoff
        return told.pipe(Effect.zipRight(pause), Effect.zipRight(hurried.close))
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
          parcels = [...parcels, ...alerts.map((alert) => ({ alert, keys: [alert.key] }))]
          const excess = parcels.length - options.capacity
          // Half at once, so that not every alert from then on makes a story anew.
          const old = excess > 0 ? excess + Math.floor(options.capacity / 2) : 0
          parcels = [...joined(parcels.slice(0, old)), ...parcels.slice(old)]
          return settle
        }),
      drop: remove,
      enable: Effect.suspend(() => {
        disabled = undefined
        failures = 0
        return settle
      }),
      hurry: Effect.suspend(() => (failures > 0 ? hurried.open : Effect.void)),
      idle: rest.await,
      waiting: Effect.sync(() => parcels.map(({ alert }) => alert)),
      health: Effect.sync(() => ({
        waiting: parcels.reduce((sum, { keys }) => sum + keys.length, 0),
        failures,
        disabled,
        lastError
      })),
      run: Effect.forever(Effect.zipRight(work.await, deliver))
    }
  })

const joined = (parcels: ReadonlyArray<Parcel>): ReadonlyArray<Parcel> => {
  if (!Arr.isNonEmptyReadonlyArray(parcels)) return parcels
  return [
    {
      alert: collapse(Arr.map(parcels, ({ alert }) => alert)),
      keys: parcels.flatMap(({ keys }) => keys)
    }
  ]
}

const unknownChannel = (name: string) =>
  new AlertChannelError({
    reason: "Misconfigured",
    channel: name,
    problem: "expected a channel of this name, found none; name it under alerts.channels"
  })

/** After so many crashes in a row it is not a matter of time. */
const mostCrashes = 5

/** One attempt, of which there is an end within the channel's timeout whatever it does. */
const attempt = (
  { name, send, timeout }: RegisteredChannel,
  alert: Alert,
  failures: number
): Effect.Effect<Either.Either<void, AlertChannelError>> => {
  const failed = (reason: AlertChannelError["reason"], problem: string) =>
    new AlertChannelError({ reason, channel: name, problem })
  return send(alert).pipe(
    Effect.disconnect,
    Effect.timeoutFail({
      duration: timeout,
      onTimeout: () => failed("Transient", `no answer within ${Duration.format(timeout)}`)
    }),
    Effect.catchAllDefect((defect) =>
      Effect.fail(
        failed(
          failures + 1 < mostCrashes ? "Transient" : "Permanent",
          `the channel crashed: ${Cause.pretty(Cause.die(defect)).split("\n")[0] ?? ""}`
        )
      )
    ),
    Effect.mapError(shortened),
    Effect.either
  )
}

/** Twice as long each time, with jitter, and never less than the receiver asked for. */
const delay = (
  failures: number,
  { retryAfter }: AlertChannelError,
  { backoff }: Options
): Effect.Effect<Duration.Duration> =>
  Effect.map(Random.nextRange(0.8, 1.2), (jitter) => {
    const doubled = Duration.times(backoff.first, 2 ** Math.min(failures - 1, 30))
    const spread = Duration.times(Duration.min(doubled, backoff.most), jitter)
    return retryAfter === undefined ? spread : Duration.max(spread, retryAfter)
  })
