/**
 * A launched server under load: 200 clients send requests of 50 to 400 ms, SIGTERM comes at a random
 * moment, and every request whose handler started must be answered.
 */
import { assert } from "@effect/vitest"
import { Effect, Random } from "effect"
import * as http from "node:http"
import { live } from "../support/live.js"
import * as Program from "../support/Program.js"
import { get } from "./client.js"
import type { Config } from "./programs/bot.js"

const clients = 200

export interface Round {
  readonly started: number
  readonly answered: number
}

/** One program, one signal. What fails names the seed, which repeats the round's choices. */
export const round = (bundle: Program.Bundle, seed: string) =>
  Effect.gen(function* () {
    const config: Config = {
      server: (yield* Random.nextBoolean) ? "node" : "platform",
      lameDuck: "500 millis",
      drainTimeout: "5 seconds"
    }
    const program = yield* Program.start(bundle.file, { args: [JSON.stringify(config)] })
    const [, port] = yield* program.awaitOutput(/listening (\d+)/)
    const url = `http://127.0.0.1:${port}`
    const answered = new Set<string>()
    const probes: Array<readonly [ready: number, alive: number]> = []

    const connection = Effect.acquireRelease(
      Effect.sync(() => new http.Agent({ keepAlive: true, maxSockets: 1 })),
      (agent) => Effect.sync(() => agent.destroy())
    )

    // Each client goes on until it gets no answer, on a connection that is kept.
    const client = (name: number) =>
      Effect.gen(function* () {
        const agent = yield* connection
        for (let request = 0; ; request++) {
          const id = `${name}-${request}`
          const ms = yield* Random.nextIntBetween(50, 400)
          const { status } = yield* get(`${url}/work?id=${id}&ms=${ms}`, agent)
          assert.strictEqual(status, 200)
          answered.add(id)
        }
      }).pipe(Effect.scoped, Effect.ignore)

    const probe = (agent: http.Agent) =>
      Effect.gen(function* () {
        const ready = yield* get(`${url}/readyz`, agent)
        const alive = yield* get(`${url}/livez`, agent)
        probes.push([ready.status, alive.status])
      }).pipe(Effect.ignore, Effect.zipRight(Effect.sleep("20 millis")))

    yield* Effect.forkScoped(Effect.flatMap(connection, (agent) => Effect.forever(probe(agent))))
    const names = Array.from({ length: clients }, (_, name) => name)
    const load = yield* Effect.fork(
      Effect.forEach(names, client, { concurrency: "unbounded", discard: true })
    )
    yield* program.awaitOutput(/started/)
    yield* Effect.sleep(yield* Random.nextIntBetween(0, 700))
    yield* program.signal("SIGTERM")
    const ended = yield* program.exit
    yield* load

    const started = [...ended.stdout.matchAll(/^started (\S+)$/gm)].map(([, id = ""]) => id)
    const dropped = started.filter((id) => !answered.has(id))
    assert.isEmpty(dropped, `${seed}: ${dropped.length} of ${started.length} dropped`)
    assert.strictEqual(ended.code, 0, `${seed}: ${ended.stdout.slice(-2000)}`)
    assert.isTrue(
      probes.some(([ready, alive]) => ready === 503 && alive === 200),
      `${seed}: readiness was never 503 while liveness was 200: ${JSON.stringify(probes)}`
    )
    return { started: started.length, answered: answered.size }
  }).pipe(Effect.scoped, Effect.withRandom(Random.make(seed)), live)

/** One after the other; gives the number of requests. */
export const rounds = (bundle: Program.Bundle, count: number) =>
  Effect.gen(function* () {
    let requests = 0
    const base = yield* Effect.sync(() => Date.now())
    for (let index = 0; index < count; index++) {
      const { started } = yield* round(bundle, `seed ${base}-${index}`)
      requests += started
    }
    return requests
  })
