/**
 * Reads the configuration again while `holter watch` runs: by SIGHUP, where no terminal hangs up, and by
 * `holter reload`. It is judged whole first; one that cannot be used changes nothing.
 *
 * What has the same entry as before goes on as it is, with its state and its connections. The journal,
 * its lease and the shutdown are those of the start.
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Clock, Effect, Either, Layer, Mailbox, Option } from "effect"
import type { ChannelRegistry } from "../../Alert/ChannelRegistry.js"
import type { BackupError } from "../../Backup/BackupError.js"
import { CheckRegistry } from "../../Check/CheckRegistry.js"
import type { GrowingSecrets } from "../../Common/GrowingSecrets.js"
import { Beacon } from "../../Lifecycle/Beacon.js"
import { Lifecycle } from "../../Lifecycle/Lifecycle.js"
import type { PlanError } from "../../Lifecycle/PlanError.js"
import { ReloadRequest } from "../../Lifecycle/ReloadRequest.js"
import { Alerting } from "../../Monitor/Alerting.js"
import * as Holder from "../../Monitor/Journal/Lease/Holder.js"
import type { Vitals } from "../../Alert/Vitals.js"
import * as ConfigSource from "../ConfigSource.js"
import * as Configuration from "../Configuration.js"
import { ConfigurationError } from "../ConfigurationError.js"
import { briefly, Output } from "../Output.js"
import * as ReaderZone from "../ReaderZone.js"
import type { Service } from "../Service.js"
import * as Asked from "./Asked.js"
import * as WatchState from "./WatchState.js"
import * as Built from "./Built.js"
import { Line } from "./Lines.js"
import type * as Pieces from "./Pieces.js"
import * as ReloadWords from "./ReloadWords.js"
import { Reporter } from "./Reporter.js"
import * as Summary from "./Summary.js"
import * as WatchSettings from "./WatchSettings.js"

/** The parts that there are once at most. */
export interface Sole {
  readonly deadMan: Built.Part<Built.Sole, PlanError, Vitals>
  readonly backups: Built.Part<
    Built.Sole,
    BackupError | ConfigurationError | PlanError,
    Reporter | Beacon
  >
}

export interface Running {
  /** The settings of the start. */
  readonly first: WatchSettings.WatchSettings
  /** The settings that it goes by now. */
  readonly current: { settings: WatchSettings.WatchSettings }
  readonly flags: WatchSettings.Flags
  readonly secrets: GrowingSecrets
}

interface Parts extends Running {
  readonly built: Sole & {
    readonly checks: Built.PreparedPart<Service, CheckRegistry>
    readonly channels: Built.PreparedPart<Built.Channel, ChannelRegistry>
  }
  /** Schedules of backups are exchanged one after the other. */
  readonly turn: Effect.Semaphore
}

type Services = CheckRegistry | ChannelRegistry | Vitals | Alerting
type Surroundings = Reporter | Output | FileSystem | Path | Lifecycle | Beacon

/** One after the other, as they are asked for. */
export const layer = (
  running: Running,
  sole: Sole
): Layer.Layer<never, never, Services | Surroundings | Built.Checks | Built.Channels> =>
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const built = { ...sole, checks: yield* Built.Checks, channels: yield* Built.Channels }
      const { reloads } = yield* Alerting
      const { isAccepting } = yield* Lifecycle
      const parts = { ...running, built, turn: yield* Effect.makeSemaphore(1) }
      // A signal for which there is no room asks for what those before it do.
      const asked = yield* Mailbox.make<string | null>({ capacity: 16 })
      yield* Option.match(yield* Effect.serviceOption(ReloadRequest), {
        onNone: () => Effect.void,
        onSome: ({ listen }) => listen(() => void asked.unsafeOffer(null))
      })
      yield* Effect.forkScoped(
        Effect.forever(Effect.flatMap(Effect.orDie(reloads.take), (id) => asked.offer(id)))
      )
      const next = (by: string | null) =>
        Effect.suspend(() => (isAccepting() ? reload(parts, by) : Effect.void)).pipe(
          Effect.catchAllCause((cause) =>
            Effect.logError("The configuration could not be read again", cause)
          )
        )
      yield* Asked.take(asked).pipe(
        Effect.flatMap(Effect.forEach(next, { discard: true })),
        Effect.forever,
        Effect.forkScoped
      )
    })
  )

const reload = (running: Parts, asked: string | null) =>
  Effect.gen(function* () {
    const { refuse } = yield* Alerting
    const { name: by } = yield* Holder.ofProcess("holter watch")
    const read = yield* Effect.either(
      Effect.flatMap(load(running), (next) => prepare(running, next))
    )
    if (Either.isRight(read)) return yield* exchange(running, read.right, { asked, by })
    const { note } = yield* Output
    const { say } = yield* Reporter
    const problems = read.left instanceof ConfigurationError ? read.left.lines : [read.left.message]
    const at = yield* Clock.currentTimeMillis
    const message = "it cannot be used, and all goes on as before"
    yield* say(Line.part({ at, part: "configuration", name: "refused", message }))
    yield* briefly(Effect.forEach(problems, (line) => note(`holter: ${line}`), { discard: true }))
    yield* refuse({ asked, by, problems: problems.map(running.secrets.secrets.scrub) })
  })

/** What it hides is hidden from now on, beside what is hidden already, also where it cannot be used. */
const load = ({ current, flags, secrets }: Running) =>
  WatchSettings.ready(flags).pipe(
    Effect.filterOrFail(
      ({ configuration }) =>
        configuration.source === current.settings.configuration.source ||
        configuration.source !== ConfigSource.withoutFile,
      () => gone(current.settings.configuration.source)
    ),
    Effect.tap(({ configuration }) => Configuration.prepare(configuration)),
    Effect.updateService(Output, (output) => ({
      ...output,
      hide: (found) =>
        Effect.suspend(() => {
          secrets.add(found)
          return output.hide(secrets.secrets)
        })
    }))
  )

/** In the middle of a deployment it may be missing for a moment, and the environment alone is another. */
const gone = (file: string) =>
  new ConfigurationError({
    source: file,
    issues: [
      {
        path: [],
        expected: "the configuration file that is in use",
        found: "no such file; put one there, or restart holter watch to go without it"
      }
    ]
  })

interface Answer {
  readonly asked: string | null
  readonly by: string
}

/** Settings, and what they want that is not there yet: built, and not used. */
interface Ready {
  readonly next: WatchSettings.WatchSettings
  readonly checks: Pieces.Difference<Service>
  readonly channels: Pieces.Difference<Built.Channel>
  readonly newChecks: Built.Prepared<CheckRegistry>
  readonly newChannels: Built.Prepared<ChannelRegistry>
}

/** What cannot be built is found before anything is exchanged. */
const prepare = ({ built }: Parts, next: WatchSettings.WatchSettings) =>
  Effect.gen(function* () {
    const checks = built.checks.difference(Summary.services(next))
    const channels = built.channels.difference(next.alerts.channels)
    const newChannels = yield* built.channels.prepare([...channels.changed, ...channels.added])
    const newChecks = yield* built.checks
      .prepare([...checks.changed, ...checks.added])
      .pipe(Effect.onError(() => newChannels.drop))
    return { next, checks, channels, newChecks, newChannels } satisfies Ready
  }).pipe(Effect.mapError((issue) => WatchSettings.unbuilt(next, issue)))

/**
 * What is taken out has no results any more before the policy forgets it; the policy knows what is new
 * before that has results; and no alert meets a route that leads nowhere.
 */
const exchange = (running: Parts, ready: Ready, answer: Answer) =>
  Effect.gen(function* () {
    const { built, current } = running
    const { channels, checks, next } = ready
    const { alerts } = next
    const deadMan = built.deadMan.difference(Built.deadMen(next))
    const backups = built.backups.difference(Built.schedules(next))
    const why = ReloadWords.text({
      first: running.first,
      next,
      checks,
      channels,
      deadMan,
      backups
    })
    const started = [...checks.changed, ...checks.added].map(({ name }) => name)
    const leaving = [...checks.changed.map(({ name }) => name), ...checks.removed]
    const gone = yield* registered(leaving)
    current.settings = next

    yield* ready.newChannels.use
    yield* Effect.forEach(leaving, built.checks.take, { discard: true, concurrency: "unbounded" })
    const { reconfigure } = yield* Alerting
    yield* reconfigure({
      ...answer,
      policy: alerts.options,
      maintenance: alerts.maintenance,
      started,
      gone,
      changedChannels: channels.changed.map(({ name }) => name),
      removedChannels: channels.removed,
      why
      // The routes were checked as the configuration was read.
    }).pipe(Effect.orDie)
    yield* Effect.forEach(channels.removed, built.channels.take, { discard: true })
    const { say, update } = yield* Reporter
    const zone = yield* ReaderZone.named(alerts.policy.timeZone)
    yield* update((board) => WatchState.reconfigured(board, Summary.rows(next, zone), started))
    yield* ready.newChecks.use
    yield* swap(built.deadMan, Built.deadMen(next))
    // Also where it is as before: an exchange may wait for its turn.
    yield* Effect.forkScoped(swapBackups(running))
    const { note } = yield* Output
    yield* briefly(Effect.forEach(Summary.warnings(next), note, { discard: true }))
    const at = yield* Clock.currentTimeMillis
    yield* say(Line.part({ at, part: "configuration", name: "reloaded", message: why }))
  })

const registered = (names: ReadonlyArray<string>) =>
  Effect.map(
    Effect.flatMap(CheckRegistry, ({ all }) => all),
    (checks) => checks.filter(({ name }) => names.includes(name))
  )

/** What there is once or not at all, as the latest settings have it. */
const swap = <E, R>(
  part: Built.Part<Built.Sole, E, R>,
  wanted: ReadonlyArray<Built.Sole>
): Effect.Effect<void, E, R> =>
  Effect.suspend(() => {
    const { added, changed, removed } = part.difference(wanted)
    const leaving = [...changed.map(({ name }) => name), ...removed]
    return Effect.zipRight(
      Effect.forEach(leaving, part.take, { discard: true }),
      part.open([...changed, ...added])
    )
  })

/** Not in the middle of one. */
const swapBackups = ({ built, current, turn }: Parts) =>
  Effect.gen(function* () {
    const { idle } = yield* Beacon
    const { update } = yield* Reporter
    yield* idle
    const wanted = Built.schedules(current.settings)
    yield* swap(built.backups, wanted)
    if (wanted.length === 0) yield* update((board) => ({ ...board, backup: undefined }))
  }).pipe(
    turn.withPermits(1),
    Effect.catchAll(({ message }) =>
      Effect.logError(`Scheduled backups cannot be made as the new configuration says: ${message}`)
    )
  )
