/**
 * A program that does nothing but beat, in a process of its own: a loop that a user would write, or
 * Holter's heartbeat. Prints what a beat cost, how late it was and how much memory there is.
 *
 *     node --expose-gc beating.mjs '{ "work": "trivial", "by": "holter", ... }'
 */
import { Duration, Effect, Layer, Option, Schema } from "effect"
import Sqlite from "better-sqlite3"
import { mkdtempSync, rmSync } from "node:fs"
import { dirname } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { Pool } from "undici"
import * as NodeContext from "@effect/platform-node/NodeContext"
import * as ChannelRegistry from "../../src/Alert/ChannelRegistry.js"
import * as Notifier from "../../src/Alert/Notifier.js"
import * as Check from "../../src/Check/Check.js"
import type { CheckConfigError, DuplicateCheckError } from "../../src/Check/CheckError.js"
import * as CheckPolicy from "../../src/Check/CheckPolicy.js"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import type { CheckResult } from "../../src/Check/CheckResult.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import * as Outcome from "../../src/Check/Outcome.js"
import * as JournalAccess from "../../src/Cli/Journal/JournalAccess.js"
import * as Alerting from "../../src/Monitor/Alerting.js"
import type { HealthEvent } from "../../src/Monitor/HealthEvent.js"
import * as HealthMonitor from "../../src/Monitor/HealthMonitor.js"
import { Journal } from "../../src/Monitor/Journal.js"
import { Http } from "../../src/plugins/Http.js"
import { type Beaten, type Job, lateness } from "../support/Beating.js"

const timeout = 10_000

/** When each check was started in the time that is measured. */
class Tally {
  beats = 0
  failures = 0
  starts = new Map<string, Array<number>>()

  note(name: string, startedAt: number, ok: boolean): void {
    this.beats++
    if (!ok) this.failures++
    const starts = this.starts.get(name)
    if (starts === undefined) this.starts.set(name, [startedAt])
    else starts.push(startedAt)
  }
}

interface Beating {
  /** How many beats there have been. */
  readonly beats: () => Promise<number>
  readonly skipped?: () => Promise<number>
  /** What waits to be written at this moment. */
  readonly waiting?: () => Promise<number>
  /** How many results of a span the journal has, once it is closed. */
  readonly written?: (from: number, until: number) => number
  readonly stop: () => Promise<unknown>
}

type Start = (job: Job, tally: () => Tally) => Promise<Beating>

/** A check with a deadline: as little as can be called monitoring. */
const limited = (check: () => Promise<unknown>): Promise<boolean> =>
  new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), timeout)
    check().then(
      () => {
        clearTimeout(timer)
        resolve(true)
      },
      () => resolve(false)
    )
  })

/** A timer for each of the slots, in which the checks of the slot start together. */
const bare =
  (makeCheck: (job: Job) => () => Promise<unknown>, slotsOf: (job: Job) => number): Start =>
  async (job, tally) => {
    const check = makeCheck(job)
    let beats = 0
    const run = async (name: string) => {
      const startedAt = performance.now()
      const ok = await limited(check)
      beats++
      if (job.listen) tally().note(name, startedAt, ok)
    }
    const names = Array.from({ length: job.checks }, (_, index) => `check_${index}`)
    const slots = slotsOf(job)
    const timers: Array<NodeJS.Timeout> = []
    for (let slot = 0; slot < slots; slot++) {
      const own = names.filter((_, index) => index % slots === slot)
      timers.push(setInterval(() => void Promise.allSettled(own.map(run)), job.interval))
      if (slots > 1) await sleep(job.interval / slots)
    }
    return {
      beats: () => Promise.resolve(beats),
      stop: () => Promise.resolve(timers.forEach((timer) => clearInterval(timer)))
    }
  }

const together = () => 1
/** As Holter's heartbeat does it. */
const spread = ({ interval }: Job) => Math.max(1, Math.floor(interval / 10))

const nothing = () => () => Promise.resolve({ ok: true })

const undici = ({ url }: Job) => {
  const { origin, pathname } = new URL(url)
  const pool = new Pool(origin, { connections: 32 })
  return async () => {
    const { body, statusCode } = await pool.request({ path: pathname, method: "GET" })
    await body.text()
    if (statusCode !== 200) throw new Error(`status ${statusCode}`)
  }
}

type Registered = Layer.Layer<
  never,
  DuplicateCheckError | CheckConfigError,
  CheckRegistry.CheckRegistry
>

type Monitor = typeof HealthMonitor.HealthMonitor.Service

const holter =
  (register: (name: string, job: Job) => Registered): Start =>
  async (job, tally) => {
    const checks = registeredBy(register, job)
    const monitored = HealthMonitor.layer.pipe(
      Layer.provideMerge(Layer.merge(CheckRegistry.layer, CheckRunner.layer()))
    )
    const note = (result: CheckResult) => {
      const took = Duration.toMillis(result.responseTime)
      tally().note(result.service, performance.now() - took, result.status === "healthy")
    }
    const noteAll = (events: Iterable<HealthEvent>) => {
      for (const event of events) if (event._tag === "Checked") note(event.result)
    }
    const abort = new AbortController()
    let started: (monitor: Monitor) => void = () => {}
    const monitor = new Promise<Monitor>((resolve) => {
      started = resolve
    })
    const program = Effect.gen(function* () {
      yield* Layer.build(Layer.mergeAll(Layer.empty, ...checks))
      const own = yield* HealthMonitor.HealthMonitor
      yield* own.startHeartbeat
      started(own)
      return yield* job.listen
        ? Effect.flatMap(own.subscribe, (events) =>
            Effect.forever(Effect.map(events.takeAll, ([told]) => noteAll(told)))
          )
        : Effect.never
    })
    const running = Effect.runPromiseExit(Effect.scoped(Effect.provide(program, monitored)), {
      signal: abort.signal
    })
    const own = await monitor
    return {
      ...counts(own),
      stop: () => {
        abort.abort()
        return running
      }
    }
  }

const registeredBy = (register: (name: string, job: Job) => Registered, job: Job) =>
  Array.from({ length: job.checks }, (_, index) => register(`check_${index}`, job))

const counts = ({ heartbeat }: Monitor) => {
  const sum = async (part: "beats" | "skipped") => {
    const report = Option.getOrThrow(await Effect.runPromise(heartbeat))
    return [...report.beats.values()].reduce((total, one) => total + one[part], 0)
  }
  return { beats: () => sum("beats"), skipped: () => sum("skipped") }
}

/** As `holter watch`: every result is judged, and lies in a journal in SQLite. */
const journaling: Start = async (job, tally) => {
  // On a disk, where a folder for temporary files may be in memory.
  const folder = mkdtempSync(`${dirname(process.argv[1] ?? ".")}/journal-`)
  const file = `${folder}/holter.db`
  const noted = (name: string, startedAt: number) => tally().note(name, startedAt, true)
  const checks = registeredBy(
    (name) =>
      Noting.layer({ note: () => noted(name, performance.now()) }, { name, ...policyOf(job) }),
    job
  )
  const names = Array.from({ length: job.checks }, (_, index) => ({
    name: `check_${index}`,
    policy: CheckPolicy.override(CheckPolicy.defaults, policyOf(job))
  }))
  const monitored = Alerting.layer({
    // Intervals are short here: who waits for a processor is not stale after three of them.
    policy: { checks: names, staleAfter: 100 }
  }).pipe(
    Layer.provideMerge(HealthMonitor.layer),
    Layer.provide(Notifier.layer()),
    Layer.provideMerge(
      JournalAccess.layer({ url: { _tag: "Sqlite", path: file }, retain: undefined })
    ),
    Layer.provide(NodeContext.layer),
    Layer.provideMerge(
      Layer.mergeAll(CheckRegistry.layer, CheckRunner.layer(), ChannelRegistry.layer)
    )
  )
  const abort = new AbortController()
  let started: (parts: readonly [Monitor, typeof Journal.Service]) => void = () => {}
  const parts = new Promise<readonly [Monitor, typeof Journal.Service]>((resolve) => {
    started = resolve
  })
  const program = Effect.gen(function* () {
    yield* Layer.build(Layer.mergeAll(Layer.empty, ...checks))
    const monitor = yield* HealthMonitor.HealthMonitor
    yield* monitor.startHeartbeat
    started([monitor, yield* Journal])
    return yield* Effect.never
  })
  const running = Effect.runPromiseExit(Effect.scoped(Effect.provide(program, monitored)), {
    signal: abort.signal
  })
  const [monitor, journal] = await parts
  return {
    ...counts(monitor),
    waiting: async () => {
      const { down, lost, waiting } = await Effect.runPromise(journal.health)
      if (down !== undefined || lost > 0) throw new Error(`the journal: ${down ?? `${lost} lost`}`)
      return waiting
    },
    written: (from, until) => {
      const database = new Sqlite(file, { readonly: true })
      const count = database
        .prepare("SELECT count(*) FROM holter_results WHERE at >= ? AND at < ?")
        .pluck()
        .get(from, until)
      database.close()
      rmSync(folder, { recursive: true })
      return Number(count)
    },
    stop: () => {
      abort.abort()
      return running
    }
  }
}

class TrivialError extends Schema.TaggedError<TrivialError>("bench/TrivialError")("TrivialError", {
  reason: Schema.Literal("Down")
}) {}

const Trivial = Check.make("trivial", {
  description: "Does nothing",
  config: {},
  error: TrivialError,
  probe: () => Effect.succeed(Outcome.healthy("fine")),
  services: () => Layer.empty
})

/** The same, with a note of when it is started. */
const Noting = Check.make("noting", {
  description: "Notes that it is run",
  config: { note: Schema.Any },
  error: TrivialError,
  probe: ({ note }) =>
    Effect.sync(() => {
      ;(note as () => void)()
      return Outcome.healthy("fine")
    }),
  services: () => Layer.empty
})

const policyOf = ({ interval }: Job) => ({
  interval: Duration.millis(interval),
  timeout: Duration.millis(Math.min(interval, timeout))
})

const programs: Readonly<Record<Job["work"], Readonly<Partial<Record<Job["by"], Start>>>>> = {
  journal: { holter: journaling },
  trivial: {
    bare: bare(nothing, together),
    bareSpread: bare(nothing, spread),
    holter: holter((name, job) => Trivial.layer({}, { name, ...policyOf(job) }))
  },
  http: {
    bare: bare(undici, together),
    bareSpread: bare(undici, spread),
    holter: holter((name, job) =>
      Http.layerStandalone({ url: job.url }, { name, ...policyOf(job) })
    )
  }
}

const megabytes = () => {
  globalThis.gc?.()
  return process.memoryUsage.rss() / 2 ** 20
}

/**
 * The most resident memory in the last part of a time. It goes up and down with the garbage that waits
 * for a full collection, so one look and another say nothing of a leak.
 */
const peak = async (time: number, last: number): Promise<number> => {
  await sleep(Math.max(0, time - last))
  let most = 0
  const until = performance.now() + Math.min(time, last)
  while (performance.now() < until) {
    most = Math.max(most, process.memoryUsage.rss())
    await sleep(Math.min(250, Math.max(1, until - performance.now())))
  }
  return most / 2 ** 20
}

const work = async (job: Job): Promise<Beaten> => {
  let tally = new Tally()
  const start = programs[job.work][job.by]
  if (start === undefined) throw new Error(`nobody does ${job.work} by ${job.by}`)
  const { beats, skipped, stop, waiting, written } = await start(job, () => tally)
  const peakBefore = await peak(job.warmUp, job.measured)
  globalThis.gc?.()
  // To collect the garbage of many results takes as long as a beat may be late.
  if (job.work === "journal") await sleep(2 * job.interval)
  const beatsBefore = await beats()
  const skippedBefore = (await skipped?.()) ?? 0
  const waitingBefore = (await waiting?.()) ?? 0
  const from = Date.now()
  tally = new Tally()
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  const peakAfter = await peak(job.measured, job.measured)
  const { system, user } = process.cpuUsage(cpu)
  const elapsed = performance.now() - startedAt
  const until = Date.now()
  const count = (await beats()) - beatsBefore
  const late = ((await waiting?.()) ?? 0) - waitingBefore
  const left = ((await skipped?.()) ?? 0) - skippedBefore
  const { failures, starts } = tally
  tally = new Tally()
  const after = megabytes()
  await stop()
  return {
    beats: count,
    failures,
    ...lateness([...starts.values()], job.interval),
    skipped: left,
    written: written === undefined ? 0 : ((written(from, until) - late) / elapsed) * 1000,
    cpuPerBeat: (system + user) / count,
    cores: (system + user) / 1000 / elapsed,
    megabytes: after,
    growth: peakAfter / peakBefore
  }
}

console.log(JSON.stringify(await work(JSON.parse(process.argv[2] ?? "") as Job)))
process.exit(0)
