/**
 * Checks that beat, what they owe to channels, and the journal of both, each ended in its phase.
 *
 * @internal
 */
import { Context, Duration, Effect, Layer } from "effect"
import type { AlertingOptionsError } from "../Alert/AlertingOptionsError.js"
import type * as AlertPolicy from "../Alert/AlertPolicy.js"
import * as ChannelRegistry from "../Alert/ChannelRegistry.js"
import type * as Maintenance from "../Alert/Maintenance.js"
import * as Notifier from "../Alert/Notifier.js"
import type { Outbox } from "../Alert/Outbox.js"
import type { Routes } from "../Alert/Routes.js"
import type { DeadManSwitch, Vitals } from "../Alert/Vitals.js"
import * as CheckRegistry from "../Check/CheckRegistry.js"
import * as CheckRunner from "../Check/CheckRunner.js"
import { Lifecycle } from "../Lifecycle/Lifecycle.js"
import type { PlanError } from "../Lifecycle/PlanError.js"
import * as Watchdog from "../Lifecycle/Watchdog.js"
import * as Alerting from "../Monitor/Alerting.js"
import * as HealthMonitor from "../Monitor/HealthMonitor.js"
import type { Change } from "../Monitor/HealthState.js"
import * as Journal from "../Monitor/Journal.js"
import * as ProgramJournal from "./ProgramJournal.js"
import { atEnd, steps, within } from "./Steps.js"

/** What a program can ask for once the layer is built. */
export type Services =
  | HealthMonitor.HealthMonitor
  | Vitals
  | Alerting.Alerting
  | Notifier.Notifier
  | Journal.Journal
  | Outbox
  | CheckRegistry.CheckRegistry
  | ChannelRegistry.ChannelRegistry

/** What layers of checks can ask for: they are built before the channels and the alerts. */
type ForChecks =
  | HealthMonitor.HealthMonitor
  | Vitals
  | CheckRegistry.CheckRegistry
  | CheckRunner.CheckRunner

/** What the parts of a program need beside what is there for them. */
export type Needs<Checks, Channels, Others> =
  | Exclude<Checks, ForChecks>
  | Exclude<Channels, ChannelRegistry.ChannelRegistry>
  | Exclude<Others, Services>

/** What keeps it from being built, beside what its layers fail with. */
export type Failure = AlertingOptionsError | PlanError

interface Beating {
  readonly heartbeat?: HealthMonitor.Options | undefined
  /** Ends a program whose event loop is blocked; a program has none unless it asks for it. */
  readonly watchdog?: Watchdog.Options | undefined
}

export interface Options<A1, E1, R1, A2, E2, R2, E3, R3, E4, R4, E5, R5, R6, E7, R7>
  extends Beating {
  /** Layers of checks, merged. */
  readonly checks: Layer.Layer<CheckRegistry.Registered | A1, E1, R1>
  /** Layers of channels, merged; `log` is there without being named. */
  readonly channels?: Layer.Layer<ChannelRegistry.Registered | A2, E2, R2> | undefined
  /** Which channel gets which severity; without them every channel gets both. */
  readonly routes?: Routes | undefined
  /** Limits on alerts: grouping, reminders, caps. What a check declares counts as declared. */
  readonly policy?: Omit<AlertPolicy.Options, "routes"> | undefined
  /** How deliveries are tried again. */
  readonly notifier?: Notifier.Options | undefined
  /** Where results, decisions and unsent alerts are kept; in memory where left out. */
  readonly journal?: Layer.Layer<Journal.Journal | Outbox, E3, R3> | undefined
  /**
   * Called once another program keeps the journal (`Journal.layer({ holder })`): this one sends nothing from
   * then on. Without it, and where it fails, an error is logged.
   */
  readonly onJournalLost?:
    | ((error: Journal.JournalError) => Effect.Effect<unknown, E7, R7>)
    | undefined
  /** Times at which no alert is sent. */
  readonly maintenance?: ReadonlyArray<Maintenance.Window> | undefined
  /** Called at each change of a confirmed status, also at those of which no alert is sent. */
  readonly onChange?: ((change: Change) => Effect.Effect<unknown, E4, R4>) | undefined
  /** How the alerting of this program answers others that use its journal. */
  readonly requests?: Pick<Alerting.Options, "requestsEvery" | "reloads"> | undefined
  /** Built on all of it before the first beat, and so misses nothing. */
  readonly observers?: Layer.Layer<never, E5, R5> | undefined
  /** `DeadMan.layerStandalone`: pings a service outside for as long as the checks beat. */
  readonly deadMan?: Layer.Layer<DeadManSwitch, never, R6> | undefined
}

/**
 * Builds the journal, the checks, the channels and the alerts, then starts the heartbeat. At the end of
 * the program the heartbeat stops first, what is owed is sent, and the journal closes last.
 *
 * @example
 * import { Effect } from "effect"
 * import { Holter, launch, runMain } from "holter"
 * import { Http } from "holter/plugins/Http"
 *
 * const Watch = Holter.layer({
 *   checks: Http.layerStandalone({ url: "https://example.com/up" }),
 *   onChange: (change) => Effect.log(`${change.service} is ${change.status}`)
 * })
 *
 * runMain(launch(Watch), { name: "my-bot" })
 */
export const layer = <
  E1,
  R1,
  A1 = never,
  A2 = never,
  E2 = never,
  R2 = never,
  E3 = never,
  R3 = never,
  E4 = never,
  R4 = never,
  E5 = never,
  R5 = never,
  R6 = never,
  E7 = never,
  R7 = never
>(
  options: Options<A1, E1, R1, A2, E2, R2, E3, R3, E4, R4, E5, R5, R6, E7, R7>
): Layer.Layer<
  Services | A1 | A2,
  Failure | ProgramJournal.Failure<E3> | E1 | E2 | E5,
  Lifecycle | R3 | Needs<R1, R2, R4 | R5 | R6 | R7>
> =>
  // What is provided part by part leaves one `Exclude` in another, of which tsc does not know that it is this one.
  // @effect-diagnostics-next-line unsafeEffectTypeAssertion:off
  Layer.scopedContext(build(options)) as Layer.Layer<
    Services | A1 | A2,
    Failure | ProgramJournal.Failure<E3> | E1 | E2 | E5,
    Lifecycle | R3 | Needs<R1, R2, R4 | R5 | R6 | R7>
  >

const build = <A1, E1, R1, A2, E2, R2, E3, R3, E4, R4, E5, R5, R6, E7, R7>(
  options: Options<A1, E1, R1, A2, E2, R2, E3, R3, E4, R4, E5, R5, R6, E7, R7>
) =>
  Effect.gen(function* () {
    const journal = yield* within(steps.journal)(journalOf(options.journal))
    const health = yield* within(steps.checks)(
      options.checks.pipe(Layer.provideMerge(monitorOf(options)))
    )
    const sending = yield* within(steps.channels)(
      Notifier.layer({
        patienceOf: (name) => options.policy?.channels?.[name]?.unreachable,
        ...options.notifier
      }).pipe(
        Layer.provideMerge(channelsOf(options.channels)),
        Layer.provide(Layer.succeedContext(journal))
      )
    )
    const parts = Context.mergeAll(journal, health, sending)
    const alerting = yield* Layer.provide(
      Alerting.layer({
        // Into the memory of this program no other one can say anything.
        ...(options.journal === undefined ? { requestsEvery: Duration.infinity } : {}),
        ...options.requests,
        policy: { ...options.policy, routes: options.routes },
        maintenance: options.maintenance ?? []
      }),
      Layer.succeedContext(parts)
    ).pipe(within(steps.alerting))
    const services = Context.merge(parts, alerting)
    yield* Effect.provide(start(options), services)
    return services
  })

const journalOf = <E, R>(
  journal: Layer.Layer<Journal.Journal | Outbox, E, R> | undefined
): Layer.Layer<Journal.Journal | Outbox, ProgramJournal.Failure<E>, R> =>
  journal === undefined ? Journal.layerMemory : ProgramJournal.layer(journal)

const monitorOf = ({ heartbeat, watchdog }: Beating) =>
  HealthMonitor.layerVitals.pipe(
    Layer.provideMerge(HealthMonitor.layerWith(heartbeat ?? {})),
    Layer.provideMerge(Layer.merge(CheckRegistry.layer, CheckRunner.layer())),
    Layer.provide(watchdog === undefined ? Layer.empty : Watchdog.layer(watchdog))
  )

const channelsOf = <A, E, R>(
  channels: Layer.Layer<ChannelRegistry.Registered | A, E, R> | undefined
): Layer.Layer<
  A | ChannelRegistry.ChannelRegistry,
  E,
  Exclude<R, ChannelRegistry.ChannelRegistry>
> =>
  channels === undefined
    ? // Without channels `A` is `never`, which tsc does not know while it is generic.
      (ChannelRegistry.layer as Layer.Layer<A | ChannelRegistry.ChannelRegistry>)
    : Layer.provideMerge(channels, ChannelRegistry.layer)

/** Within a phase the hook that was registered last runs first. */
const start = <A1, E1, R1, A2, E2, R2, E3, R3, E4, R4, E5, R5, R6, E7, R7>({
  deadMan,
  journal,
  observers,
  onChange,
  onJournalLost
}: Options<A1, E1, R1, A2, E2, R2, E3, R3, E4, R4, E5, R5, R6, E7, R7>) =>
  Effect.gen(function* () {
    const monitor = yield* HealthMonitor.HealthMonitor
    const { rest } = yield* Alerting.Alerting
    const { flush, lost } = yield* Journal.Journal
    yield* Effect.forkScoped(
      Effect.flatMap(lost, onJournalLost === undefined ? sayLost : calling(onJournalLost))
    )
    const services = yield* Effect.context<Alerting.Alerting | Journal.Journal | Lifecycle>()
    yield* atEnd(steps.alerts, Effect.provide(sendOwed(journal !== undefined), services))
    yield* atEnd(steps.state, flush)
    if (onChange !== undefined) yield* monitor.registerAlertCallback(onChange)
    if (deadMan !== undefined) yield* within(steps.deadMan)(deadMan)
    if (observers !== undefined) yield* Layer.build(observers)
    yield* atEnd(steps.heartbeat, Effect.zipRight(monitor.stopHeartbeat, rest))
    yield* monitor.startHeartbeat
  })

/** A mistake in a function of the program's own must not be silent. */
const calling =
  <E, R>(onJournalLost: (error: Journal.JournalError) => Effect.Effect<unknown, E, R>) =>
  (error: Journal.JournalError): Effect.Effect<void, never, R> =>
    Effect.suspend(() => onJournalLost(error)).pipe(
      Effect.asVoid,
      Effect.catchAllCause((cause) =>
        Effect.zipRight(sayLost(error), Effect.logError("onJournalLost failed", cause))
      )
    )

const sayLost = ({ message }: Journal.JournalError): Effect.Effect<void> =>
  Effect.logError(
    `This program sends no alerts any more, the one that keeps the journal does. ${message}`
  )

/** Sends what is owed, as long as it may. */
const sendOwed = (isKept: boolean) =>
  Effect.gen(function* () {
    const alerting = yield* Alerting.Alerting
    const journal = yield* Journal.Journal
    const { grace, note } = yield* Lifecycle
    const owed = yield* alerting.flush(Duration.times(grace, steps.alerts.share * 0.9))
    if (owed.length === 0) return
    const { down } = yield* journal.health
    const channels = [...new Set(owed.map(({ channel }) => channel))].join(", ")
    const lost = isKept ? "lost, because the journal is down" : "lost with the journal in memory"
    const then = isKept && down === undefined ? "sent after the next start" : lost
    const text = `${owed.length} not taken by ${channels} yet: ${then}`
    yield* note(text)
    yield* Effect.logWarning(`Unsent alerts: ${text}`)
  })
