/**
 * A program that does nothing but beat, in a process of its own: a loop that a user would write, or
 * Holter's heartbeat. Prints what a beat cost, how late it was and how much memory there is.
 *
 *     node --expose-gc beating.mjs '{ "work": "trivial", "by": "holter", ... }'
 */
import { Duration, Effect, Layer, Stream } from "effect"
import { setTimeout as sleep } from "node:timers/promises"
import { Pool } from "undici"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import type { CheckResult } from "../../src/Check/CheckResult.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import * as HealthMonitor from "../../src/Monitor/HealthMonitor.js"
import { Http } from "../../src/plugins/Http.js"
import * as ScriptedCheck from "../../src/testing/ScriptedCheck.js"
import type { Beaten, Job } from "../support/Beating.js"

const timeout = 10_000

/** Counts the beats of the time that is measured, and by how much each missed its rhythm. */
class Tally {
  beats = 0
  failures = 0
  private readonly starts = new Map<string, Array<number>>()

  note(name: string, startedAt: number, ok: boolean): void {
    this.beats++
    if (!ok) this.failures++
    const starts = this.starts.get(name)
    if (starts === undefined) this.starts.set(name, [startedAt])
    else starts.push(startedAt)
  }

  reset(): void {
    this.beats = 0
    this.failures = 0
    this.starts.clear()
  }

  /** Of each check the beat that came soonest in its interval was in time. */
  lateness(interval: number): number {
    const late = [...this.starts.values()].flatMap((starts) => {
      const [first = 0] = starts
      const drifts = starts.map((start, index) => start - first - index * interval)
      const soonest = Math.min(...drifts)
      return drifts.map((drift) => drift - soonest)
    })
    return late.sort((a, b) => a - b)[Math.floor(late.length * 0.99)] ?? Number.NaN
  }
}

type Start = (job: Job, tally: Tally) => Promise<() => Promise<unknown>>

/** One timer for all, and for each a deadline: as little as can be called monitoring. */
const bare =
  (makeCheck: (job: Job) => () => Promise<unknown>): Start =>
  (job, tally) => {
    const check = makeCheck(job)
    const names = Array.from({ length: job.checks }, (_, index) => `check_${index}`)
    const run = async (name: string) => {
      const startedAt = performance.now()
      const ok = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), timeout)
        check().then(
          () => {
            clearTimeout(timer)
            resolve(true)
          },
          () => resolve(false)
        )
      })
      tally.note(name, startedAt, ok)
    }
    const timer = setInterval(() => void Promise.allSettled(names.map(run)), job.interval)
    return Promise.resolve(() => Promise.resolve(clearInterval(timer)))
  }

const undici = ({ url }: Job) => {
  const { origin, pathname } = new URL(url)
  const pool = new Pool(origin, { connections: 32 })
  return async () => {
    const { body, statusCode } = await pool.request({ path: pathname, method: "GET" })
    await body.text()
    if (statusCode !== 200) throw new Error(`status ${statusCode}`)
  }
}

const holter =
  (register: (name: string, job: Job) => Layer.Layer<never, unknown, CheckRegistry.CheckRegistry>): Start =>
  async (job, tally) => {
    const [first, ...rest] = Array.from({ length: job.checks }, (_, index) =>
      register(`check_${index}`, job)
    )
    const monitored = HealthMonitor.layer.pipe(
      Layer.provideMerge(
        Layer.mergeAll(first ?? Layer.empty, ...rest).pipe(Layer.provideMerge(CheckRegistry.layer))
      ),
      Layer.provideMerge(CheckRunner.layer())
    )
    const note = (result: CheckResult) => {
      const took = Duration.toMillis(result.responseTime)
      tally.note(result.service, performance.now() - took, result.status === "healthy")
    }
    const program = Effect.gen(function* () {
      const monitor = yield* HealthMonitor.HealthMonitor
      yield* Effect.fork(Stream.runForEach(monitor.results, (result) => Effect.sync(() => note(result))))
      yield* monitor.startHeartbeat
      return yield* Effect.never
    })
    const abort = new AbortController()
    const running = Effect.runPromiseExit(Effect.provide(program, monitored), { signal: abort.signal })
    return () => {
      abort.abort()
      return running
    }
  }

const policyOf = ({ interval }: Job) => ({
  interval: Duration.millis(interval),
  timeout: Duration.millis(Math.min(interval, timeout))
})

const programs: Readonly<Record<Job["work"], Readonly<Record<Job["by"], Start>>>> = {
  trivial: {
    bare: bare(() => () => Promise.resolve({ ok: true })),
    holter: holter((name, job) =>
      ScriptedCheck.layer([ScriptedCheck.healthy()], { name, ...policyOf(job) })
    )
  },
  http: {
    bare: bare(undici),
    holter: holter((name, job) =>
      Http.layerStandalone({ url: job.url }, { name, ...policyOf(job) })
    )
  }
}

const megabytes = () => {
  globalThis.gc?.()
  return process.memoryUsage.rss() / 2 ** 20
}

const work = async (job: Job): Promise<Beaten> => {
  const tally = new Tally()
  const stop = await programs[job.work][job.by](job, tally)
  await sleep(job.warmUp)
  const before = megabytes()
  tally.reset()
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  await sleep(job.measured)
  const { system, user } = process.cpuUsage(cpu)
  const { beats, failures } = tally
  const lateness = tally.lateness(job.interval)
  const elapsed = performance.now() - startedAt
  tally.reset()
  const after = megabytes()
  await stop()
  return {
    beats,
    failures,
    lateness,
    cpuPerBeat: (system + user) / beats,
    cores: (system + user) / 1000 / elapsed,
    megabytes: after,
    growth: after / before
  }
}

console.log(JSON.stringify(await work(JSON.parse(process.argv[2] ?? "") as Job)))
