/** What a user would write without Holter: the driver, and nothing around it. */
import { Effect, type Scope } from "effect"
import { Redis } from "ioredis"
import pg from "pg"
import { Pool } from "undici"
import { BenchError, type Contender } from "../support/Rounds.js"
import { allSettled, bound, checksAtOnce, cpuPerCheck, warmUps } from "./bounded.js"
import type { RedisCommand, Statement } from "./recorded.js"

const contender = (name: string, check: () => Promise<unknown>): Contender => {
  const tasks = Array.from({ length: checksAtOnce }, () => check)
  return {
    warmUps,
    measure: Effect.tryPromise({
      try: () => cpuPerCheck(() => allSettled(tasks)),
      catch: (error) => new BenchError(`${name}: ${String(error)}`)
    })
  }
}

export const undici = (url: string): Effect.Effect<Contender, never, Scope.Scope> =>
  Effect.gen(function* () {
    const { origin, pathname } = new URL(url)
    const pool = yield* Effect.acquireRelease(
      Effect.sync(() => new Pool(origin, { connections: bound })),
      (open) => Effect.promise(() => open.close())
    )
    return contender("undici", async () => {
      const { body, statusCode } = await pool.request({ path: pathname, method: "GET" })
      await body.text()
      if (statusCode !== 200) throw new Error(`status ${statusCode}`)
    })
  })

/** The statements of a check, one after the other, on one connection of a pool. */
export const postgres = (
  url: string,
  statements: ReadonlyArray<Statement>
): Effect.Effect<Contender, never, Scope.Scope> =>
  Effect.gen(function* () {
    const pool = yield* Effect.acquireRelease(
      Effect.sync(() => new pg.Pool({ connectionString: url, max: bound, idleTimeoutMillis: 0 })),
      (open) => Effect.promise(() => open.end())
    )
    return contender("pg", async () => {
      const client = await pool.connect()
      try {
        for (const statement of statements) await client.query(statement)
      } finally {
        client.release()
      }
    })
  })

/** The commands of a check in one round trip, on the one connection that a program would have. */
export const redis = (
  url: string,
  commands: ReadonlyArray<RedisCommand>
): Effect.Effect<Contender, never, Scope.Scope> =>
  Effect.gen(function* () {
    const client = yield* Effect.acquireRelease(
      Effect.sync(() => new Redis(url)),
      (open) => Effect.sync(() => open.disconnect())
    )
    const calls = commands.map(({ args, name }) => [name, ...args])
    return contender("ioredis", async () => {
      for (const [error] of (await client.pipeline(calls).exec()) ?? []) if (error) throw error
    })
  })
