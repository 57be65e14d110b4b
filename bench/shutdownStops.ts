/** Stops a server in the middle of its work, and one that has nothing to do. */
import { Effect, Fiber } from "effect"
import * as http from "node:http"
import { get } from "../test/Lifecycle/client.js"
import * as Program from "../test/support/Program.js"

export interface Stop {
  /** Milliseconds from the last answer to the exit. */
  readonly afterLast: number
  readonly dropped: number
  readonly late: number
  /** Milliseconds from the signal to the exit, with nothing in flight. */
  readonly idle: number
  /** Exit codes, or the signal's name. */
  readonly codes: ReadonlyArray<string>
}

const idleConnections = 100
const inFlight = 10
const lateRequests = 20

export const measure = (file: string) =>
  Effect.gen(function* () {
    const busy = yield* Effect.scoped(stopBusy(file))
    const idle = yield* Effect.scoped(stopIdle(file))
    return { ...busy, idle: idle.millis, codes: [busy.code, idle.code] } satisfies Stop
  })

const start = (file: string, lameDuck: number) =>
  Effect.gen(function* () {
    const program = yield* Program.start(file, {
      env: { LAME_DUCK: String(lameDuck) },
      timeout: "30 seconds"
    })
    const [, port] = yield* program.awaitOutput(/port (\d+)/)
    return { program, url: (ms: number) => `http://127.0.0.1:${port}/?ms=${ms}` }
  })

const stopBusy = (file: string) =>
  Effect.gen(function* () {
    const { program, url } = yield* start(file, 100)
    const agent = yield* Effect.acquireRelease(
      Effect.sync(() => new http.Agent({ keepAlive: true, maxSockets: 200 })),
      (agent) => Effect.sync(() => agent.destroy())
    )
    // Every connection has served before: the ones that wait now are idle and kept alive.
    const all = idleConnections + inFlight + lateRequests
    yield* ask(all, url(20), agent)
    let last = 0
    const answered = Effect.sync(() => {
      last = performance.now()
    })
    const flying = yield* Effect.fork(ask(inFlight, url(300), agent, answered))
    yield* Effect.sleep("50 millis")
    const signalled = performance.now()
    yield* program.signal("SIGTERM")
    yield* Effect.sleep("30 millis")
    const late = yield* Effect.fork(ask(lateRequests, url(20), agent))
    const kept = yield* Fiber.join(flying)
    const served = yield* Fiber.join(late)
    const exit = yield* program.exit
    return {
      afterLast: Math.max(0, signalled + exit.millis - last),
      dropped: inFlight - kept,
      late: served,
      code: exit.signal ?? String(exit.code)
    }
  })

const stopIdle = (file: string) =>
  Effect.gen(function* () {
    const { program } = yield* start(file, 0)
    yield* Effect.sleep("100 millis")
    yield* program.signal("SIGTERM")
    const { code, millis, signal } = yield* program.exit
    return { millis, code: signal ?? String(code) }
  })

/** How many of so many requests at once are answered. */
const ask = (count: number, url: string, agent: http.Agent, then = Effect.void) =>
  Effect.map(
    Effect.forEach(
      Array.from({ length: count }),
      () =>
        get(url, agent).pipe(
          Effect.map(({ status }) => status === 200),
          Effect.tap(() => then),
          Effect.catchAll(() => Effect.succeed(false))
        ),
      { concurrency: "unbounded" }
    ),
    (answers) => answers.filter((isAnswered) => isAnswered).length
  )
