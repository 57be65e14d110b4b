/**
 * `holter watch` on a journal that is cut, refused, frozen and taken over, judged at the receiver.
 * `npm run test:soak` has 300 rounds; HOLTER_SOAK_SEED plays one run again, HOLTER_SOAK_ROUND one
 * round of it.
 */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { PostgresServer } from "../support/PostgresServer.js"
import { describeWithServices } from "../support/Services.js"
import { judge } from "./soak/judge.js"
import * as Rounds from "./soak/rounds.js"

const count = Number(
  process.env.HOLTER_SOAK_WATCH_ROUNDS ?? (process.env.HOLTER_TEST_SOAK === undefined ? 15 : 300)
)
const seed = process.env.HOLTER_SOAK_SEED ?? String(Math.floor(Math.random() * 1e9))
const only = process.env.HOLTER_SOAK_ROUND
const asked = (process.env.HOLTER_SOAK_KINDS ?? "").split(",").filter(Rounds.isKind)
const kinds = asked.length === 0 ? Rounds.order : asked

/** Each waits most of the time. */
const atOnce = 5

const round = (server: PostgresServer["Type"], index: number) =>
  Effect.gen(function* () {
    const kind = kinds[index % kinds.length] ?? "cut"
    const { expected, notes, world, wrong } = yield* Rounds.run(server, kind, `${seed}.${index}`)
    const all = [...wrong, ...judge(world.received(), world.probed(), expected)]
    if (all.length === 0) return []
    const seen = world
      .received()
      .map(
        ({ alert, isTaken, key }) => `  ${isTaken ? "" : "not "}taken ${alert.installation} ${key}`
      )
    return [[`round ${index}: ${notes.join(", ")}`, ...all, ...seen].join("\n")]
  })

describeWithServices("postgres", "alerts of holter watch", () => {
  it.scopedLive(
    `lose nothing, repeat nothing and contradict nothing in ${count} rounds of faults`,
    () =>
      Effect.gen(function* () {
        process.stdout.write(`holter watch: ${count} rounds, HOLTER_SOAK_SEED=${seed}\n`)
        const server = yield* PostgresServer.make({ maxConnections: 80 })
        const indices =
          only === undefined ? Array.from({ length: count }, (_, index) => index) : [Number(only)]
        const begun = performance.now()
        const wrong = yield* Effect.forEach(indices, (index) => round(server, index), {
          concurrency: atOnce
        })
        const took = Math.round((performance.now() - begun) / 1000)
        process.stdout.write(`holter watch: ${indices.length} rounds in ${took} s\n`)
        assert.deepStrictEqual(wrong.flat(), [], wrong.flat().join("\n\n"))
      }),
    120_000 + count * 20_000
  )
})
