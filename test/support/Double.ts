/**
 * What all doubles share: a server on loopback, in this process or in a child process, that is
 * told what to do by commands and asked what it received.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Ask, type Child, start as startChild } from "./ChildDouble.js"
import * as Apis from "./doubles/apis.js"
import type { Behaviour } from "./doubles/Behaviour.js"
import type { Command, RecordedRequest } from "./doubles/HttpCore.js"
import { fromUnknown, type ServerError } from "./ServerError.js"

export type { Ask, Child }

export interface Double {
  readonly host: "127.0.0.1"
  readonly port: number
  readonly url: string
  readonly requests: Effect.Effect<ReadonlyArray<RecordedRequest>>
  /** Waits for so many requests, counted since the start or the last `clear`. */
  readonly awaitRequests: (count: number) => Effect.Effect<ReadonlyArray<RecordedRequest>>
  readonly clear: Effect.Effect<void>
  /** Lets what waits at the gate of this name go on, now and from now on. */
  readonly release: (gate: string) => Effect.Effect<void>
  readonly connections: Effect.Effect<{ readonly total: number; readonly open: number }>
  /** Refuses connections and drops the open ones; `start` listens on the same port again. */
  readonly stop: Effect.Effect<void>
  readonly start: Effect.Effect<void>
}

/** An API double whose answers can be replaced by faults. */
export interface Faulty<Subject extends string> {
  /** Each of these once, in turn, instead of the real answer. */
  readonly fault: (
    subject: Subject | "*",
    ...faults: ReadonlyArray<Behaviour>
  ) => Effect.Effect<void>
  /** This until `heal`. */
  readonly faultAlways: (subject: Subject | "*", fault: Behaviour) => Effect.Effect<void>
  readonly heal: Effect.Effect<void>
}

export const inProcess = (
  options: Apis.DoubleOptions
): Effect.Effect<{ readonly port: number; readonly ask: Ask }, ServerError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: () => Apis.start(options),
      catch: fromUnknown("double", "listen")
    }),
    (core) => Effect.promise(() => core.close())
  ).pipe(
    Effect.map((core) => ({
      port: core.port,
      ask: <A>(command: Command) =>
        Effect.tryPromise({
          try: () => core.command(command) as Promise<A>,
          catch: fromUnknown("double", command._tag)
        }).pipe(Effect.orDie)
    }))
  )

export const inChild = (
  options: Apis.DoubleOptions
): Effect.Effect<
  {
    readonly port: number
    readonly ask: Ask
    readonly child: Child
    readonly start: Effect.Effect<void>
  },
  ServerError,
  Scope.Scope
> => startChild(options)

export const make = (port: number, ask: Ask, scheme: "http" | "https" = "http"): Double => ({
  host: "127.0.0.1",
  port,
  url: `${scheme}://127.0.0.1:${port}`,
  requests: ask({ _tag: "Requests" }),
  awaitRequests: (count) => ask({ _tag: "AwaitRequests", count }),
  clear: ask({ _tag: "Clear" }),
  release: (gate) => ask({ _tag: "Release", gate }),
  connections: ask({ _tag: "Connections" }),
  stop: ask({ _tag: "Stop" }),
  start: ask({ _tag: "Start" })
})

export const faulty = <Subject extends string>(ask: Ask): Faulty<Subject> => ({
  fault: (subject, ...faults) => ask({ _tag: "Api", name: "fault", payload: { subject, faults } }),
  faultAlways: (subject, fault) =>
    ask({ _tag: "Api", name: "faultAlways", payload: { subject, faults: [fault] } }),
  heal: ask({ _tag: "Api", name: "heal", payload: undefined })
})
