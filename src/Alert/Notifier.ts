/**
 * Takes alerts to their channels: a fiber and a bounded line for each, so that a channel that hangs
 * delays nobody. An alert is done when its channel has it: at least once, with the same key each
 * time.
 */
import {
  Array as Arr,
  Clock,
  Context,
  Data,
  Duration,
  Effect,
  Layer,
  Mailbox,
  Option,
  type Scope,
  Stream
} from "effect"
import type { Alert } from "./Alert.js"
import { LogChannel } from "./AlertChannel/Log.js"
import {
  ChannelRegistry,
  layer as channelRegistry,
  type RegisteredChannel
} from "./ChannelRegistry.js"
import * as DeliveryQueue from "./Notifier/DeliveryQueue.js"
import { Outbox } from "./Outbox.js"

/** A channel that failed for good. */
export type Disabled = DeliveryQueue.Disabled

/**
 * What happens at a channel that the alert policy must know of: it takes nothing for a while, or
 * again, or will never take some alerts.
 */
export type News = Data.TaggedEnum<{
  Unreachable: DeliveryQueue.Disabled
  Reached: { readonly channel: string }
  Refused: DeliveryQueue.Refused
}>

export const News = Data.taggedEnum<News>()

export type ChannelHealth = DeliveryQueue.Health

export interface Options {
  /** The wait after a first failure; it doubles with each. One second by default. */
  readonly firstBackoff?: Duration.DurationInput
  /** The longest wait that Holter chooses itself. Five minutes by default. */
  readonly longestBackoff?: Duration.DurationInput
  /** When a channel that takes nothing counts as away: after 5 attempts, and 5 minutes, by default. */
  readonly patience?: Patience
  /** The same for a channel by its name, asked whenever it matters. */
  readonly patienceOf?: (channel: string) => Patience | undefined
  /** Alerts that may wait for a channel one by one; more are told as one. 1,000 by default. */
  readonly capacity?: number
}

export interface Patience {
  readonly attempts?: number | undefined
  readonly after?: Duration.DurationInput | undefined
}

export class Notifier extends Context.Tag("holter/Alert/Notifier")<
  Notifier,
  {
    /** Hands over alerts that are in the outbox already. It never waits for a channel. */
    readonly offer: (alerts: ReadonlyArray<Alert>) => Effect.Effect<void>
    /** Channels as they fail for good. The alert policy decides who is notified instead. */
    readonly disabled: Stream.Stream<Disabled>
    /** Beside those that fail for good, what else befalls channels. */
    readonly news: Stream.Stream<News>
    /**
     * Ends for a channel that is away, of which its fallback is told. With the beginnings, which it did
     * not get, they are handed on; where it may have those, they are offered.
     */
    readonly cancel: (ends: ReadonlyArray<Alert>) => Effect.Effect<void>
    /**
     * What a channel did not take yet. For a disabled one it is asked when the policy hears of it,
     * and not before: by then there may be more.
     */
    readonly waiting: (channel: string) => Effect.Effect<ReadonlyArray<Alert>>
    readonly has: (channel: string) => Effect.Effect<boolean>
    /** The names of all channels; `log` is always one of them. */
    readonly channels: Effect.Effect<ReadonlyArray<string>>
    /**
     * What an earlier run owed to channels that were not there at the start. Nothing is done about
     * it here: whoever knows the routes offers it, or gives it up.
     */
    readonly stranded: ReadonlyArray<Alert>
    /** Alerts that somebody else was given, and their channel is not to have any more. */
    readonly drop: (alerts: ReadonlyArray<Alert>) => Effect.Effect<void>
    /** A channel that is no longer configured, and what it did not take: nobody gets that. */
    readonly forget: (channel: string) => Effect.Effect<void>
    /** A disabled channel, or one that did not answer or asked to be left alone, is tried again now. */
    readonly enable: (channel: string) => Effect.Effect<void>
    /**
     * Waits until all is sent, as long as it may; what is left stays in the outbox. A channel that
     * failed is tried once more at once, and not when its turn would be.
     */
    readonly flush: (within: Duration.DurationInput) => Effect.Effect<ReadonlyArray<Alert>>
    readonly health: Effect.Effect<ReadonlyMap<string, ChannelHealth>>
  }
>() {}

export const make = (
  options: Options = {}
): Effect.Effect<Notifier["Type"], never, ChannelRegistry | Outbox | Scope.Scope> =>
  Effect.gen(function* () {
    const registry = yield* withLog(yield* ChannelRegistry)
    const outbox = yield* Outbox
    const scope = yield* Effect.scope
    const gone = yield* Mailbox.make<Disabled>()
    const news = yield* Mailbox.make<News>()
    const lines = new Map<string, DeliveryQueue.DeliveryQueue>()
    const settings = (channel: string): DeliveryQueue.Options => ({
      backoff: {
        first: Duration.decode(options.firstBackoff ?? "1 second"),
        most: Duration.decode(options.longestBackoff ?? "5 minutes")
      },
      patience: () => patienceOf(options, channel),
      capacity: options.capacity ?? 1000
    })
    const ends: DeliveryQueue.Ends = {
      acknowledge: (keys) =>
        Effect.flatMap(Clock.currentTimeMillis, (at) => outbox.acknowledge(keys, at)),
      attempting: outbox.attempting,
      note: outbox.note,
      turn: outbox.turn ?? Effect.void,
      disabled: (disabled) => Effect.asVoid(gone.offer(disabled)),
      refused: (refused) => Effect.asVoid(news.offer(News.Refused(refused))),
      unreachable: (away) => Effect.asVoid(news.offer(News.Unreachable(away))),
      reached: (channel) => Effect.asVoid(news.offer(News.Reached({ channel })))
    }
    const creating = yield* Effect.makeSemaphore(1)

    const lineOf = (channel: string, late: boolean) =>
      Effect.gen(function* () {
        const known = lines.get(channel)
        if (known !== undefined) return known
        const line = yield* DeliveryQueue.make(
          channel,
          registry.find(channel),
          late,
          settings(channel),
          ends
        )
        lines.set(channel, line)
        yield* Effect.forkIn(line.run, scope)
        return line
      }).pipe(creating.withPermits(1))

    const add = (alerts: ReadonlyArray<Alert>, late: boolean) =>
      Effect.forEach(
        Object.entries(Arr.groupBy(alerts, ({ channel }) => channel)),
        ([channel, own]) => Effect.flatMap(lineOf(channel, late), (line) => line.add(own)),
        { discard: true }
      )

    const has = (channel: string) => Effect.map(registry.find(channel), Option.isSome)
    const channels = Effect.map(registry.all, (all) => all.map(({ name }) => name))
    const known = new Set(yield* channels)
    const [stranded, pending] = Arr.partition(yield* outbox.pending, ({ channel }) =>
      known.has(channel)
    )
    yield* add(pending, true)

    const all = Effect.sync(() => [...lines.values()])
    return {
      offer: (alerts) => (alerts.length === 0 ? Effect.void : add(alerts, false)),
      disabled: Mailbox.toStream(gone),
      news: Mailbox.toStream(news),
      cancel: (over) =>
        Effect.forEach(
          Object.entries(Arr.groupBy(over, ({ channel }) => channel)),
          ([channel, own]) =>
            Effect.gen(function* () {
              const line = yield* lineOf(channel, false)
              const keys = yield* line.cancel(own)
              const at = yield* Clock.currentTimeMillis
              yield* outbox.discard(keys, "handed on", at)
            }),
          { discard: true }
        ),
      drop: (alerts) => {
        const keys = new Set(alerts.map(({ key }) => key))
        const dropped = Effect.flatMap(
          all,
          Effect.forEach((line) => line.drop(keys))
        )
        return Effect.flatMap(Effect.zip(dropped, Clock.currentTimeMillis), ([gone, at]) =>
          outbox.discard(gone.flat(), "handed on", at)
        )
      },
      forget: (channel) =>
        Effect.gen(function* () {
          const line = lines.get(channel)
          if (line === undefined) return
          yield* line.close
          const waiting = yield* line.waiting
          const gone = yield* line.drop(new Set(waiting.map(({ key }) => key)))
          lines.delete(channel)
          yield* outbox.discard(gone, "given up", yield* Clock.currentTimeMillis)
          yield* outbox.note(channel, undefined)
        }),
      has,
      channels,
      stranded,
      waiting: (channel) => Effect.suspend(() => lines.get(channel)?.waiting ?? Effect.succeed([])),
      enable: (channel) => Effect.flatMap(lineOf(channel, true), (line) => line.enable),
      flush: (within) =>
        Effect.gen(function* () {
          const idle = Effect.forEach(
            yield* all,
            (line) => Effect.zipRight(line.hurry, line.idle),
            {
              concurrency: "unbounded",
              discard: true
            }
          )
          yield* Effect.timeoutOption(idle, within)
          return (yield* Effect.forEach(yield* all, (line) => line.waiting)).flat()
        }),
      health: Effect.flatMap(
        Effect.sync(() => [...lines]),
        (entries) =>
          Effect.map(
            Effect.forEach(entries, ([name, line]) =>
              Effect.map(line.health, (health) => [name, health] as const)
            ),
            (healths) => new Map(healths)
          )
      )
    }
  })

export const layer = (
  options: Options = {}
): Layer.Layer<Notifier, never, ChannelRegistry | Outbox> => Layer.scoped(Notifier, make(options))

type Channels = Pick<ChannelRegistry["Type"], "all" | "find">

/** A route may always lead to the log, also in a program that names no channel. */
const withLog = (registry: Channels): Effect.Effect<Channels, never, Scope.Scope> =>
  Effect.gen(function* () {
    const spare = yield* Layer.build(Layer.provideMerge(LogChannel.layer({}), channelRegistry))
    const log = yield* Context.get(spare, ChannelRegistry).all
    return {
      all: Effect.map(registry.all, (all) => Arr.dedupeWith([...all, ...log], isNamedAs)),
      find: (name: string) =>
        Effect.map(
          registry.find(name),
          Option.orElse(() => Arr.findFirst(log, (channel) => channel.name === name))
        )
    }
    // Its configuration is empty, and it is alone there.
  }).pipe(Effect.orDie)

const isNamedAs = (one: RegisteredChannel, other: RegisteredChannel): boolean =>
  one.name === other.name

const patienceOf = (
  { patience, patienceOf: of }: Options,
  channel: string
): DeliveryQueue.Patience => {
  const own = of?.(channel)
  return {
    attempts: own?.attempts ?? patience?.attempts ?? 5,
    after: Duration.decode(own?.after ?? patience?.after ?? "5 minutes")
  }
}
