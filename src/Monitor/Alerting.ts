/**
 * Where checks, alerts and the journal meet: results go in, decisions come out, are written, and
 * what they owe is sent. No beat waits for any of it.
 *
 * One fiber folds what happens, in its order. It is there from when the layer is built: start the
 * heartbeat after that, so that no result is missed.
 */
import {
  Chunk,
  Clock,
  Context,
  Deferred,
  Duration,
  Effect,
  FiberHandle,
  Layer,
  Mailbox,
  Option,
  type Scope,
  Stream
} from "effect"
import type { Alert } from "../Alert/Alert.js"
import type { AlertingOptionsError } from "../Alert/AlertingOptionsError.js"
import * as AlertPolicy from "../Alert/AlertPolicy.js"
import type * as Maintenance from "../Alert/Maintenance.js"
import * as SuppressionId from "../Alert/SuppressionId.js"
import { Notifier } from "../Alert/Notifier.js"
import type { RegisteredCheck } from "../Check/CheckRegistry.js"
import { Input } from "./Alerting/Input.js"
import * as Evaluator from "./Alerting/Evaluator.js"
import * as Requests from "./Alerting/Requests.js"
import * as Rules from "./Alerting/Rules.js"
import type { HealthEvent } from "./HealthEvent.js"
import { HealthMonitor } from "./HealthMonitor.js"
import * as Broadcast from "./HealthMonitor/Broadcast.js"
import { Journal, type JournalError } from "./Journal.js"

export interface Options {
  /**
   * The limits, and the routes: without them every channel gets both severities. What a check declares
   * of itself (its interval, thresholds, dependencies, label, whether it is critical) counts as declared.
   */
  readonly policy?: AlertPolicy.Options | undefined
  readonly maintenance?: ReadonlyArray<Maintenance.Window> | undefined
  /**
   * How often to look in the journal for what other programs ask for, such as a silence. Five
   * seconds by default.
   */
  readonly requestsEvery?: Duration.DurationInput | undefined
  /**
   * Whether this program takes what comes to `reloads`, and answers it. Where it does not, the default,
   * whoever asks for the configuration to be read again is refused.
   */
  readonly reloads?: boolean | undefined
}

/**
 * Who is not to be told of what, until when (in milliseconds of the wall clock; `null` is until
 * somebody ends it) and why.
 */
export interface Silence {
  /** Names of services; `null` is all of them. */
  readonly services: ReadonlyArray<string> | null
  readonly until: number | null
  readonly why: string
}

/** What is another one once the configuration was read again. */
export interface Reconfiguration {
  /** Of checks that are not registered yet it may have the rules. */
  readonly policy: AlertPolicy.Options
  readonly maintenance: ReadonlyArray<Maintenance.Window>
  /** New checks, and those that are others under the same name: they start anew. */
  readonly started: ReadonlyArray<string>
  /** Registrations of checks that are over: of theirs no result counts any more. */
  readonly gone: ReadonlyArray<RegisteredCheck>
  readonly changedChannels: ReadonlyArray<string>
  readonly removedChannels: ReadonlyArray<string>
  /** The id of what somebody asked, and who answers. */
  readonly asked: string | null
  readonly by: string
  /** What changed, in words. */
  readonly why: string
}

export interface Refusal {
  readonly asked: string | null
  readonly by: string
  readonly problems: ReadonlyArray<string>
}

export class Alerting extends Context.Tag("holter/Monitor/Alerting")<
  Alerting,
  {
    /** What the policy knows now. */
    readonly state: Effect.Effect<AlertPolicy.State>
    /** Comes back with its id when it is in force and written. */
    readonly silence: (silence: Silence) => Effect.Effect<string>
    readonly unsilence: (id: string) => Effect.Effect<void>
    /** Somebody has seen the open incident of a service: no more reminders of it. */
    readonly acknowledge: (service: string, by: string) => Effect.Effect<void>
    /** A channel that failed for good is tried again. */
    readonly enable: (channel: string) => Effect.Effect<void>
    /**
     * For who stops the heartbeat and lets the rest of the program end: no check is stale from now on, until
     * the heartbeat is started again. Comes back when that is so; `stopHeartbeat` alone does not wait for it.
     */
    readonly rest: Effect.Effect<void>
    /**
     * From now on another policy is gone by, with what is known so far. It comes back when that is
     * written.
     */
    readonly reconfigure: (change: Reconfiguration) => Effect.Effect<void, AlertingOptionsError>
    /**
     * Other programs that want the configuration to be read again, by the ids of what they asked, for a
     * program that says that it takes them (`Options.reloads`). It answers each with `reconfigure` or
     * `refuse`. At most 16 wait; more are refused.
     */
    readonly reloads: Mailbox.ReadonlyMailbox<string>
    /** Notes that the configuration was read again and cannot be used, for whoever asked. */
    readonly refuse: (refusal: Refusal) => Effect.Effect<void>
    /**
     * Decisions as they are made, from when the stream is run; not that all is as before. Who listens
     * first also gets those of the start, 256 at most: what was decided before the layer was built, of
     * which nobody could hear. What is decided between then and the first listener is told to nobody
     * here; the journal has it.
     */
    readonly decisions: Stream.Stream<AlertPolicy.Decision>
    /**
     * Waits until everything that happened is judged, written and sent, as long as it may. What is
     * still owed then stays in the outbox and is sent after the next start.
     */
    readonly flush: (within: Duration.DurationInput) => Effect.Effect<ReadonlyArray<Alert>>
  }
>() {}

/**
 * @example
 * import { Layer } from "effect"
 * import { Alerting, ChannelRegistry, HealthMonitor, Journal, LogChannel, Notifier } from "holter"
 *
 * // Of the parts the program has its own: HealthMonitor with its checks.
 * export const alerted = HealthMonitor.layerHeartbeat.pipe(
 *   Layer.provideMerge(Alerting.layer({ policy: { groupWindow: "30 seconds" } })),
 *   Layer.provideMerge(Notifier.layer()),
 *   Layer.provideMerge(
 *     Layer.merge(
 *       Layer.provideMerge(LogChannel.layer({}), ChannelRegistry.layer),
 *       Journal.layerMemory
 *     )
 *   )
 * )
 */
export const layer = (
  options: Options
): Layer.Layer<Alerting, JournalError | AlertingOptionsError, HealthMonitor | Journal | Notifier> =>
  Layer.scoped(
    Alerting,
    Effect.gen(function* () {
      const monitor = yield* HealthMonitor
      const journal = yield* Journal
      const notifier = yield* Notifier
      const decisions = Broadcast.make<AlertPolicy.Decision>(mostDecisions)
      const inbox = yield* Mailbox.make<Input>({ capacity: mostInputs })

      const known = Option.getOrElse(yield* journal.state, () => AlertPolicy.initial)
      const reloads = yield* Mailbox.make<string>({ capacity: mostReloads, strategy: "dropping" })
      let isStarting = true
      const early: Array<AlertPolicy.Decision> = []
      const tell = (decision: AlertPolicy.Decision): void => {
        if (isStarting && early.length < mostEarly) early.push(decision)
        decisions.publish(decision)
      }
      const program = Effect.all({ checks: monitor.checks, channels: notifier.channels })
      const maintenance = options.maintenance ?? []
      const rules = yield* Rules.make(options.policy ?? {}, { ...(yield* program), maintenance })
      if (rules.untaken.length > 0) {
        yield* Effect.logWarning(
          `No route takes ${rules.untaken.join(" or ")}: no channel is notified of what is so`
        )
      }
      const judge = Evaluator.make(
        {
          rules,
          checks: monitor.checks,
          maintenance,
          journal,
          notifier,
          tell,
          reloadAsked: (id) => {
            if (options.reloads !== true) return doesNotReload
            return reloads.unsafeOffer(id) ? undefined : tooManyReloads
          }
        },
        known
      )
      yield* judge.take([Input.Said({ event: restarted, done: undefined })])
      // What is decided from now on is news at its time only.
      isStarting = false

      const events = yield* monitor.subscribe
      yield* Effect.forkScoped(forward(events, inbox))
      yield* Effect.forkScoped(
        Stream.runForEach(notifier.disabled, (gone) => inbox.offer(Input.Disabled(gone)))
      )
      yield* Effect.forkScoped(
        Stream.runForEach(notifier.news, (news) => inbox.offer(Input.News({ news })))
      )
      yield* Effect.forkScoped(
        // What never beat has not stopped.
        Stream.runForEach(
          Stream.dropWhile(monitor.beating, (isBeating) => !isBeating),
          (isBeating) => inbox.offer(Input.Beating({ isBeating, done: undefined }))
        )
      )
      yield* Effect.forkScoped(Requests.poll(journal, inbox, options.requestsEvery ?? "5 seconds"))
      yield* Effect.forkScoped(judging(judge, inbox))

      // Whoever asks at the very end of the program gets no answer any more, and must not wait for one.
      const ended = yield* Deferred.make<void>()
      yield* Effect.addFinalizer(() => Deferred.succeed(ended, undefined))
      const reached = (input: (done: Deferred.Deferred<void>) => Input) =>
        Effect.gen(function* () {
          const done = yield* Deferred.make<void>()
          yield* inbox.offer(input(done))
          yield* Deferred.await(done)
        }).pipe(Effect.raceFirst(Deferred.await(ended)))
      const say = (event: (at: number) => AlertPolicy.Event.Event) =>
        reached((done) => Input.Said({ event, done }))

      return {
        state: Effect.sync(judge.state),
        silence: (silence) =>
          Effect.gen(function* () {
            const id = yield* SuppressionId.make
            yield* say((at) => ({ _tag: "Silenced", at, id, ...silence }))
            return id
          }),
        unsilence: (id) => say((at) => ({ _tag: "Unsilenced", at, id })),
        acknowledge: (service, by) => say((at) => ({ _tag: "Acknowledged", at, service, by })),
        enable: (channel) => say((at) => ({ _tag: "ChannelEnabled", at, channel })),
        reconfigure: ({ asked, by, policy: wanted, started, why, ...change }) =>
          Effect.gen(function* () {
            const { channels, checks } = yield* program
            const staying = checks.filter((check) => !change.gone.includes(check))
            const left = channels.filter((name) => !change.removedChannels.includes(name))
            const rules = yield* Rules.make(wanted, {
              channels: left,
              checks: staying,
              maintenance: change.maintenance
            })
            const event = (at: number): AlertPolicy.Event.Event => ({
              _tag: "Reconfigured",
              at,
              started,
              asked,
              by,
              why
            })
            yield* reached((done) =>
              Input.Reconfigured({ change: { ...change, rules, event }, done })
            )
          }),
        reloads,
        refuse: (refusal) => say((at) => ({ _tag: "ReconfigurationRefused", at, ...refusal })),
        rest: reached((done) => Input.Beating({ isBeating: false, done })),
        decisions: Stream.unwrapScoped(
          Effect.map(decisions.subscribe, (mailbox) => {
            const start = early.splice(0)
            return Stream.concat(Stream.fromIterable(start), Mailbox.toStream(mailbox))
          })
        ),
        flush: (within) =>
          Effect.gen(function* () {
            const [spent] = yield* reached((done) => Input.Look({ done })).pipe(
              Effect.timeoutOption(within),
              Effect.timed
            )
            const left = Duration.subtract(Duration.decode(within), spent)
            const owed = yield* notifier.flush(left)
            yield* journal.flush
            return owed
          })
      }
    })
  )

/** Beyond it whoever listens too slowly loses the oldest. */
const mostDecisions = 4096

/** Of the start, for the first who listens. */
const mostEarly = 256

/** Each of them does the same: who is that far behind reads it anyway. */
const mostReloads = 16

const doesNotReload =
  "This program does not read its configuration again while it runs: restart it, and it reads the configuration then"

const tooManyReloads = `${mostReloads} others who asked for the same are not answered yet: ask again later`

/** Beyond it what the monitor keeps for a slow subscriber fills up. */
const mostInputs = 16_384

const restarted = (at: number): AlertPolicy.Event.Event => ({ _tag: "Restarted", at })

const forward = (
  events: Mailbox.ReadonlyMailbox<HealthEvent>,
  inbox: Mailbox.Mailbox<Input>
): Effect.Effect<void> =>
  Stream.runForEachChunk(Mailbox.toStream(events), (chunk) =>
    inbox.offerAll(
      Chunk.filterMap(chunk, (event) =>
        event._tag === "Checked" ? Option.some(event) : Option.none()
      )
    )
  )

const judging = (
  judge: Evaluator.Evaluator,
  inbox: Mailbox.Mailbox<Input>
): Effect.Effect<never, never, Scope.Scope> =>
  Effect.gen(function* () {
    const timer = yield* FiberHandle.make<void>()
    let armed: number | undefined
    const arm = Effect.gen(function* () {
      const due = judge.due()
      // One that comes too early costs a look, one for every beat costs more.
      if (due === undefined || (armed !== undefined && armed <= due)) return
      armed = due
      const now = yield* Clock.currentTimeMillis
      const wait = Math.min(Math.max(due - now, shortestWait), longestWait)
      yield* FiberHandle.run(
        timer,
        Effect.delay(inbox.offer(Input.Look({ done: undefined })), wait)
      )
    })
    return yield* Effect.gen(function* () {
      yield* arm
      const [inputs] = yield* inbox.takeAll
      yield* judge.take(inputs)
      if (Chunk.some(inputs, ({ _tag }) => _tag === "Look")) armed = undefined
    }).pipe(Effect.forever)
  })

const shortestWait = 100
/** No timer is longer than that, and a clock that is set may bring a time closer. */
const longestWait = 3_600_000
