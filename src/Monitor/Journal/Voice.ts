/**
 * Whether this program may send. While another may hold the lease nothing is sent: a leader asks its
 * lease before each message, and where the database does not answer it speaks only if it knows of
 * nobody who could have taken its place. A program that knows of nobody goes on from memory.
 *
 * One for each program: it outlives the attempts to open the journal.
 *
 * @internal
 */
import { Clock, Context, Duration, Effect } from "effect"
import type * as AlertPolicy from "../../Alert/AlertPolicy.js"

/** What the database says of the lease: `again` where nobody can tell, as this program slept. */
export type Answer = "held" | "lost" | "unreachable" | "again"

export interface Moment {
  /** Of a clock that nobody sets; it may stand still while the machine sleeps. */
  readonly steady: number
  readonly wall: number
}

export const moment: Effect.Effect<Moment> = Effect.map(
  Effect.all([Clock.currentTimeNanos, Clock.currentTimeMillis]),
  ([nanos, wall]) => ({ steady: Number(nanos / 1_000_000n), wall })
)

/** A sleep counts, whichever of the clocks saw it. */
export const elapsed = (from: Moment, to: Moment): number =>
  Math.max(to.steady - from.steady, to.wall - from.wall)

export interface Service {
  /** Comes back when this program may send; never, where another has taken its place. */
  readonly turn: Effect.Effect<void>
  /** This program has the lease, and whom it asks about it. */
  readonly held: (ask: Effect.Effect<Answer>, since: Moment) => Effect.Effect<void>
  /** The lease was alive when it was asked for then. */
  readonly alive: (at: Moment) => Effect.Effect<void>
  /** It has no lease any more, and nobody else is known to have it: its database is gone. */
  readonly released: Effect.Effect<void>
  /** Another has it. */
  readonly lost: Effect.Effect<void>
  /** Another program has, or wants, the lease: a sign of life is a count that changed. */
  readonly saw: (who: Other) => Effect.Effect<void>
  readonly forget: (token: string) => Effect.Effect<void>
  /** When the last sign of life of another is so old that it counts no more. */
  readonly isOld: (token: string) => Effect.Effect<boolean>
  /** Whether another may have the lease, as far as this program knows. */
  readonly isContested: Effect.Effect<boolean>
  /** What this program would leave for the one that takes its place. */
  readonly legacy: { current: () => AlertPolicy.Event.Event | undefined }
}

export interface Other {
  readonly token: string
  readonly name: string
  readonly count: number
}

/** Set by who tries to open a journal more than once, so that attempts share what they learn. */
export class Voice extends Context.Tag("holter/Monitor/Journal/Voice")<Voice, Service>() {}

/** Two signs of life that are missing; a third, and another may take over. */
const fresh = 10_000
/** So long another program counts after its last sign of life. */
const contested = Duration.toMillis("10 minutes")
/** So long an answer holds that there is none. */
const silent = 5_000
const look = Duration.seconds(1)

export const make: Effect.Effect<Service> = Effect.sync(() => {
  const others = new Map<string, { readonly other: Other; readonly at: Moment }>()
  const legacy: Service["legacy"] = { current: () => undefined }
  let lease: { readonly ask: Effect.Effect<Answer>; at: Moment } | undefined
  let isLost = false
  let refused: Moment | undefined
  let isHeldBack = false

  const known = (now: Moment) =>
    [...others.values()].find(({ at }) => now.steady - at.steady < contested)?.other

  const answer = (now: Moment): Effect.Effect<Answer> => {
    if (isLost) return Effect.succeed("lost")
    if (lease === undefined) return Effect.succeed("unreachable")
    if (elapsed(lease.at, now) < fresh) return Effect.succeed("held")
    if (refused !== undefined && elapsed(refused, now) < silent) {
      return Effect.succeed("unreachable")
    }
    return lease.ask
  }

  const note = (other: Other | undefined) =>
    Effect.suspend(() => {
      if ((other !== undefined) === isHeldBack) return Effect.void
      isHeldBack = other !== undefined
      return other === undefined
        ? Effect.logWarning("Alerts that were held back are sent now")
        : Effect.logError(
            `Alerts are held back: ${other.name} may have the journal, and both would send`
          )
    })

  const turn: Effect.Effect<void> = Effect.gen(function* () {
    for (;;) {
      const asked = yield* moment
      const said = yield* answer(asked)
      if (said === "lost") return yield* Effect.never
      if (said === "held") return yield* note(undefined)
      if (said === "again") continue
      const now = yield* moment
      refused = refused !== undefined && elapsed(refused, now) < silent ? refused : now
      const other = known(now)
      yield* note(other)
      if (other === undefined) return
      yield* Effect.sleep(look)
    }
  })

  return {
    turn,
    legacy,
    held: (ask, since) =>
      Effect.sync(() => {
        lease = { ask, at: since }
        refused = undefined
      }),
    alive: (at) =>
      Effect.sync(() => {
        if (lease !== undefined) lease.at = at
        refused = undefined
      }),
    released: Effect.sync(() => {
      lease = undefined
    }),
    lost: Effect.sync(() => {
      isLost = true
    }),
    saw: (other) =>
      Effect.map(moment, (at) => {
        const before = others.get(other.token)
        if (before?.other.count !== other.count) others.set(other.token, { other, at })
      }),
    forget: (token) => Effect.sync(() => void others.delete(token)),
    isOld: (token) =>
      Effect.map(moment, (now) => {
        const seen = others.get(token)
        return seen !== undefined && now.steady - seen.at.steady >= contested
      }),
    isContested: Effect.map(moment, (now) => known(now) !== undefined)
  }
})
