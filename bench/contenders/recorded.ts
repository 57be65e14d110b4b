/**
 * What a check sends to its server, so that the bare driver can be given the same work: read off the
 * driver while the check runs, and not written down a second time.
 */
import { Effect } from "effect"
import { Command, Redis } from "ioredis"
import pg from "pg"

export interface Statement {
  readonly text: string
  readonly values: Array<unknown>
  readonly name?: string
  readonly rowMode?: "array"
}

export interface RedisCommand {
  readonly name: string
  readonly args: Array<string>
}

/** The statements that go through `pg` while the effect runs. */
export const statements = <E>(
  check: Effect.Effect<unknown, E>
): Effect.Effect<ReadonlyArray<Statement>, E> =>
  recording(pg.Client.prototype as unknown as Methods, "query", check, ([first, second]) => {
    const config = typeof first === "string" ? { text: first, values: second } : first
    const { name, rowMode, text, values } = config as Partial<Statement>
    return text === undefined
      ? undefined
      : {
          text,
          values: Array.isArray(values) ? values : [],
          ...(name === undefined ? {} : { name }),
          ...(rowMode === undefined ? {} : { rowMode })
        }
  })

/** The commands that go through `ioredis` while the effect runs. */
export const commands = <E>(
  check: Effect.Effect<unknown, E>
): Effect.Effect<ReadonlyArray<RedisCommand>, E> =>
  recording(Redis.prototype as unknown as Methods, "sendCommand", check, ([command]) =>
    command instanceof Command ? { name: command.name, args: command.args.map(String) } : undefined
  )

type Methods = Record<string, (...args: Array<unknown>) => unknown>

const recording = <A, E>(
  prototype: Methods,
  method: string,
  check: Effect.Effect<unknown, E>,
  read: (args: ReadonlyArray<unknown>) => A | undefined
): Effect.Effect<ReadonlyArray<A>, E> =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const original = prototype[method]
      if (original === undefined) throw new Error(`the driver has no ${method}`)
      const seen: Array<A> = []
      prototype[method] = function (this: unknown, ...args) {
        const one = read(args)
        if (one !== undefined) seen.push(one)
        return Reflect.apply(original, this, args)
      }
      return { original, seen }
    }),
    ({ seen }) => Effect.as(check, seen),
    ({ original }) =>
      Effect.sync(() => {
        prototype[method] = original
      })
  )
