/** A launched program as a process: signals, faults, exit codes, and what is left behind. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import * as http from "node:http"
import * as path from "node:path"
import * as Behaviour from "../support/doubles/Behaviour.js"
import * as HttpDouble from "../support/HttpDouble.js"
import * as Program from "../support/Program.js"
import * as ProcessTree from "../support/ProcessTree.js"
import { get } from "./client.js"
import type { Config } from "./programs/bot.js"

let bundle: Program.Bundle
beforeAll(async () => {
  bundle = await Program.bundle("test/Lifecycle/programs/bot.ts")
})
afterAll(() => bundle.dispose())

const start = (config: Config = {}, cwd?: string) =>
  Effect.suspend(() =>
    Program.start(bundle.file, {
      args: [JSON.stringify(config)],
      ...(cwd === undefined ? {} : { cwd })
    })
  )

/** Started, and its server listens. */
const serving = (config: Config = {}) =>
  Effect.gen(function* () {
    const program = yield* start(config)
    const [, port] = yield* program.awaitOutput(/listening (\d+)/)
    return { program, url: `http://127.0.0.1:${port}` }
  })

const phases = [
  "intake",
  "monitoring",
  "state",
  "drain",
  "cancel",
  "bot",
  "connections",
  "database",
  "close"
]

const closedIn = (output: string): ReadonlyArray<string> =>
  [...output.matchAll(/^closed (\w+)$/gm)].map(([, phase = ""]) => phase)

const stateOf = (program: Program.Program): unknown =>
  (
    JSON.parse(readFileSync(path.join(program.cwd, "state.json"), "utf8")) as {
      readonly state: unknown
    }
  ).state

/** All phases in order, the report, and a state file that is whole. */
const assertOrderly = (program: Program.Program, ended: Program.Ended, by: string) => {
  assert.deepStrictEqual(closedIn(ended.stdout), phases, ended.stdout)
  assert.match(ended.stdout, new RegExp(`"shutdown by ${by}: [\\d.]+ m?s of 30 s"`))
  assert.match(ended.stdout, /"  database +hook of database +\|.*\| +\d+ ms  completed"/)
  assert.property(stateOf(program), "answered")
}

describe("a launched program ends in order and with 0", () => {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    it.scopedLive(`by ${signal}`, () =>
      Effect.gen(function* () {
        const { program } = yield* serving()
        yield* program.signal(signal)
        const ended = yield* program.exit
        assert.strictEqual(ended.code, 0, ended.stderr)
        assert.isEmpty(ended.stderr)
        assertOrderly(program, ended, signal)
      })
    )
  }

  it.scopedLive("and answers a request that is in flight, on each kind of server", () =>
    Effect.gen(function* () {
      for (const server of ["node", "platform"] as const) {
        const { program, url } = yield* serving({ server })
        const agent = yield* Effect.acquireRelease(
          Effect.sync(() => new http.Agent({ keepAlive: true })),
          (agent) => Effect.sync(() => agent.destroy())
        )
        const request = yield* Effect.fork(get(`${url}/work?ms=1500&id=a`, agent))
        yield* program.awaitOutput(/started a/)
        yield* program.signal("SIGTERM")
        const answer = yield* request
        assert.deepInclude(answer, { status: 200, body: "done" })
        assert.strictEqual(answer.headers.connection, "close")
        const ended = yield* program.exit
        assert.strictEqual(ended.code, 0, ended.stdout)
        assertOrderly(program, ended, "SIGTERM")
        assert.match(ended.stdout, /waited for 1 request"/)
        // Saved in `state`, before the answer, and again after it.
        assert.deepStrictEqual(stateOf(program), { answered: 1 })
      }
    })
  )

  it.scopedLive("and serves on in the lame-duck time, with readiness gone", () =>
    Effect.gen(function* () {
      const { program, url } = yield* serving({ lameDuck: "700 millis" })
      assert.strictEqual((yield* get(`${url}/readyz`)).status, 200)
      yield* program.signal("SIGTERM")
      yield* program.awaitOutput(/shutdown by SIGTERM/)
      const late = yield* Effect.all(
        {
          ready: get(`${url}/readyz`),
          alive: get(`${url}/livez`),
          work: get(`${url}/work?ms=20`)
        },
        { concurrency: "unbounded" }
      )
      assert.strictEqual(late.ready.status, 503)
      assert.strictEqual(late.alive.status, 200)
      assert.strictEqual(late.work.status, 200)
      const ended = yield* program.exit
      assert.strictEqual(ended.code, 0)
      assert.isAtLeast(ended.millis, 700)
    })
  )

  it.scopedLive("and waits for a run of checks", () =>
    Effect.gen(function* () {
      const { program } = yield* serving({ trouble: ["check"] })
      yield* program.awaitOutput(/checking/)
      yield* program.signal("SIGTERM")
      const ended = yield* program.exit
      assert.strictEqual(ended.code, 0, ended.stdout)
      assert.include(ended.stdout, "check healthy")
      assert.match(ended.stdout, /waited for checks \(\d+ ms\)/)
      assertOrderly(program, ended, "SIGTERM")
    })
  )

  it.scopedLive("and waits for an alert that is on its way", () =>
    Effect.gen(function* () {
      const channel = yield* HttpDouble.make({
        routes: { "*": Behaviour.slowHeaders(400, Behaviour.text(202, "sent")) }
      })
      const program = yield* Program.start(bundle.file, {
        args: [JSON.stringify({ trouble: ["alert"] } satisfies Config)],
        env: { CHANNEL_URL: `http://127.0.0.1:${channel.port}/` }
      })
      yield* channel.awaitRequests(1)
      yield* program.signal("SIGTERM")
      const ended = yield* program.exit
      assert.strictEqual(ended.code, 0, ended.stdout)
      assert.include(ended.stdout, "alert 202")
      assert.match(ended.stdout, /waited for alert \(\d+ ms\)/)
    })
  )

  it.scopedLive("with 100 idle keep-alive connections", () =>
    Effect.gen(function* () {
      const { program, url } = yield* serving()
      const agent = yield* Effect.acquireRelease(
        Effect.sync(() => new http.Agent({ keepAlive: true, maxSockets: 100 })),
        (agent) => Effect.sync(() => agent.destroy())
      )
      const requests = Array.from({ length: 100 }, () => get(`${url}/work?ms=50`, agent))
      yield* Effect.all(requests, { concurrency: "unbounded" })
      yield* program.signal("SIGTERM")
      const ended = yield* program.exit
      assert.strictEqual(ended.code, 0)
      // Node keeps an idle connection for 5 seconds.
      assert.isBelow(ended.millis, 2500)
      assert.deepStrictEqual(stateOf(program), { answered: 100 })
    })
  )

  it.scopedLive("with a worker thread that runs on", () =>
    Effect.gen(function* () {
      const { program } = yield* serving({ trouble: ["worker"] })
      yield* program.signal("SIGTERM")
      const ended = yield* program.exit
      assert.strictEqual(ended.code, 0)
      assertOrderly(program, ended, "SIGTERM")
    })
  )

  it.scopedLive("when nobody reads its output any more", () =>
    Effect.gen(function* () {
      const { program } = yield* serving()
      program.child.stdout?.destroy()
      yield* program.signal("SIGTERM")
      const ended = yield* program.exit
      assert.strictEqual(ended.code, 0, ended.stderr)
      assert.isEmpty(ended.stderr)
      assert.property(stateOf(program), "answered")
    })
  )

  it.scopedLive("and its last lines are written, also where they are many", () =>
    Effect.gen(function* () {
      const { program } = yield* serving({ trouble: ["chatty"] })
      // A reader that is slow to start: the pipe is full meanwhile.
      program.child.stdout?.pause()
      yield* program.signal("SIGTERM")
      yield* Effect.sync(() => program.child.stdout?.resume())
      const ended = yield* program.exit
      assert.strictEqual(ended.code, 0)
      assert.strictEqual([...ended.stdout.matchAll(/line \d+ of many/g)].length, 4000)
      assert.match(ended.stdout, /"shutdown by SIGTERM: /)
    })
  )

  it.scopedLive("during the start, of which no more is built", () =>
    Effect.gen(function* () {
      const program = yield* start({ trouble: ["slow-start"] })
      yield* program.awaitOutput(/starting/)
      yield* program.signal("SIGTERM")
      const ended = yield* program.exit
      assert.strictEqual(ended.code, 0, ended.stdout)
      assert.include(ended.stdout, "released the start")
      assert.match(ended.stdout, /"  intake +start-up .* completed"/)
    })
  )
})

describe("a launched program ends with 1", () => {
  it.scopedLive("when a hook fails, one hangs and one ignores its interruption", () =>
    Effect.gen(function* () {
      const { program } = yield* serving({
        trouble: ["fail", "hang", "deaf"],
        hookTimeout: "400 millis"
      })
      yield* program.signal("SIGTERM")
      const ended = yield* program.exit
      assert.strictEqual(ended.code, 1)
      assertOrderly(program, ended, "SIGTERM")
      assert.match(ended.stdout, /"  bot +failing .* failed  BotError: no such bot"/)
      assert.match(ended.stdout, /"  bot +hanging .* overran 400 ms"/)
      assert.match(ended.stdout, /"  bot +deaf .* overran 400 ms"/)
    })
  )

  it.scopedLive("when work is left that must be cancelled, and leaves no process", () =>
    Effect.gen(function* () {
      const { program } = yield* serving({ trouble: ["child"], drainTimeout: "300 millis" })
      const [, child] = yield* program.awaitOutput(/child (\d+)/)
      assert.isTrue(ProcessTree.isAlive(Number(child)))
      yield* program.signal("SIGTERM")
      const ended = yield* program.exit
      assert.strictEqual(ended.code, 1)
      assert.match(ended.stdout, /"  drain +work in flight .* overran 300 ms"/)
      assert.match(ended.stdout, /cancelled backup \(\d+ ms\)|cancelled backup \([\d.]+ s\)/)
      assert.isFalse(ProcessTree.isAlive(Number(child)))
    })
  )

  it.scopedLive("when a request takes longer than its limit, and is cut off", () =>
    Effect.gen(function* () {
      for (const server of ["node", "platform"] as const) {
        const { program, url } = yield* serving({ server, requestTimeout: "500 millis" })
        const request = yield* Effect.fork(Effect.flip(get(`${url}/work?ms=60000&id=a`)))
        yield* program.awaitOutput(/started a/)
        yield* program.signal("SIGTERM")
        const ended = yield* program.exit
        assert.strictEqual((yield* request)._tag, "NoAnswer")
        assert.strictEqual(ended.code, 1)
        assert.deepStrictEqual(closedIn(ended.stdout), phases)
        assert.match(ended.stdout, /"  drain +http server .* overran 500 ms"/)
        assert.match(ended.stdout, /cut off 1 request"/)
      }
    })
  )

  it.scopedLive("when the start ignores its interruption", () =>
    Effect.gen(function* () {
      const program = yield* start({ trouble: ["deaf-start"], hookTimeout: "200 millis" })
      yield* program.awaitOutput(/starting/)
      yield* program.signal("SIGTERM")
      const ended = yield* program.exit
      assert.strictEqual(ended.code, 1)
      assert.match(ended.stdout, /"  intake +start-up .* overran 200 ms"/)
    })
  )

  it.scopedLive("when it cannot start, and closes what was built", () =>
    Effect.gen(function* () {
      const program = yield* start({ trouble: ["start-fails"] })
      const ended = yield* program.exit
      assert.strictEqual(ended.code, 1)
      assert.strictEqual(ended.stderr, "bot: port 3000 is taken\n")
      assert.deepStrictEqual(closedIn(ended.stdout), phases)
    })
  )

  it.scopedLive("when the plan does not fit into the grace, and says the sum", () =>
    Effect.gen(function* () {
      const program = yield* start({ grace: "10 seconds", drainTimeout: "12 seconds" })
      const ended = yield* program.exit
      assert.strictEqual(ended.code, 1)
      assert.match(
        ended.stderr,
        /^bot: The shutdown would take up to 15\.\d+ s, and the platform kills after 10 s: /
      )
    })
  )
})

describe("a second signal ends it at once and names what still runs", () => {
  for (const [first, second, code] of [
    ["SIGTERM", "SIGTERM", 143],
    ["SIGINT", "SIGINT", 130],
    ["SIGTERM", "SIGINT", 130],
    ["SIGINT", "SIGTERM", 143]
  ] as const) {
    it.scopedLive(`${first}, then ${second}: ${code}`, () =>
      Effect.gen(function* () {
        const { program } = yield* serving({ trouble: ["hang"], hookTimeout: "3 seconds" })
        yield* program.signal(first)
        yield* program.awaitOutput(/^hanging$/m)
        yield* program.signal(second)
        const ended = yield* program.exit
        assert.strictEqual(ended.code, code)
        assert.isBelow(ended.millis, 1000)
        assert.include(ended.stderr, `bot: ${second} again: ends at once, bot: hanging still runs`)
        assert.match(ended.stderr, /^ {2}bot +hanging .* running$/m)
        assert.property(stateOf(program), "answered")
      })
    )
  }
})

describe("a fault that nobody caught", () => {
  for (const [trouble, kind, message] of [
    ["exception", "uncaughtException", "nobody catches this"],
    ["rejection", "unhandledRejection", "nobody handles this"]
  ] as const) {
    it.scopedLive(`${kind} is 70, after the same phases`, () =>
      Effect.gen(function* () {
        const { program } = yield* serving({ trouble: [trouble], lameDuck: "10 seconds" })
        const ended = yield* program.exit
        assert.strictEqual(ended.code, 70, ended.stdout)
        assertOrderly(program, ended, kind)
        assert.include(ended.stdout, `"  fault: ${kind}: Error: ${message}"`)
        // Where it came from.
        assert.match(ended.stdout, /level=ERROR .*cause="Error: nobody .*\n +at /)
      })
    )
  }

  it.scopedLive("leaves a hook that hangs its share of the short deadline", () =>
    Effect.gen(function* () {
      const { program } = yield* serving({
        trouble: ["exception", "hang"],
        hookTimeout: "800 millis",
        faultGrace: "6 seconds"
      })
      const ended = yield* program.exit
      assert.strictEqual(ended.code, 70)
      assert.deepStrictEqual(closedIn(ended.stdout), phases)
      assert.match(ended.stdout, /"  bot +hanging .* overran \d+ ms"/)
    })
  )
})

describe("a blocked event loop", () => {
  it.scopedLive("is killed at the deadline, and the report says by which hook", () =>
    Effect.gen(function* () {
      const { program } = yield* serving({
        trouble: ["block"],
        grace: "2 seconds",
        hookTimeout: "50 millis"
      })
      yield* program.signal("SIGTERM")
      yield* program.awaitOutput(/^blocking$/m)
      const ended = yield* program.exit
      assert.deepInclude(ended, { code: null, signal: "SIGKILL" })
      // Not long before: what hooks can do, they do. A busy machine tells the end late.
      assert.isBelow(ended.millis, 4000)
      assert.isAbove(ended.millis, 1800)
      assert.match(ended.stderr, /^bot: out of time, killed: bot: blocking still runs$/m)
      assert.match(ended.stderr, /^ {2}bot +blocking .* running$/m)
      assert.property(stateOf(program), "answered")
    })
  )
})

describe("a program that is killed", () => {
  it.scopedLive("leaves a state file that is whole, and starts again with it", () =>
    Effect.gen(function* () {
      let cwd: string | undefined
      let last = -1
      for (let round = 0; round < 5; round++) {
        const program = yield* start({ trouble: ["saving"] }, cwd)
        yield* program.awaitOutput(/saving/)
        yield* program.signal("SIGKILL")
        yield* program.exit
        cwd = program.cwd
        const { answered } = stateOf(program) as { readonly answered: number }
        assert.isAtLeast(answered, last)
        last = answered
        const names = readdirSync(cwd).filter((name) => name.startsWith("state.json."))
        assert.notInclude(names.join(), "corrupt")
      }
    })
  )
})

describe("a program with a main of its own", () => {
  for (const main of ["node", "node-guarded"] as const) {
    it.scopedLive(`${main}: the phases run when it is interrupted`, () =>
      Effect.gen(function* () {
        const { program, url } = yield* serving({ main })
        const request = yield* Effect.fork(get(`${url}/work?ms=300&id=a`))
        yield* program.awaitOutput(/started a/)
        yield* program.signal("SIGTERM")
        assert.strictEqual((yield* request).status, 200)
        const ended = yield* program.exit
        assert.deepStrictEqual(closedIn(ended.stdout), phases)
        assert.deepStrictEqual(stateOf(program), { answered: 1 })
      })
    )
  }
})
