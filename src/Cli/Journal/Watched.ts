/**
 * What a journal tells of the program that writes it: which services it checks, and whether it seems
 * to run.
 */
import { Clock, Effect, HashMap, Option } from "effect"
import * as AlertPolicy from "../../Alert/AlertPolicy.js"
import { Journal } from "../../Monitor/Journal.js"
import { UsageError } from "../ConfigurationError.js"

export const state = Effect.gen(function* () {
  const journal = yield* Journal
  return Option.getOrElse(yield* journal.state, () => AlertPolicy.initial)
})

/** The services that are checked. Before the first decision there are only results. */
export const services = Effect.gen(function* () {
  const journal = yield* Journal
  const { checks } = yield* state
  const names = HashMap.isEmpty(checks)
    ? (yield* journal.results({})).map(({ service }) => service)
    : HashMap.keys(checks)
  return [...new Set(names)].sort()
})

/** All services, where those that somebody names are among them. */
export const known = (what: string, named: ReadonlyArray<string>) =>
  Effect.flatMap(services, (all) => {
    const unknown = named.filter((name) => !all.includes(name))
    return unknown.length === 0 ? Effect.succeed(all) : refuse(what, unknown, all)
  })

/** Refuses what is no service, and lists those that there are. */
export const refuse = (what: string, found: ReadonlyArray<string>, known: ReadonlyArray<string>) =>
  new UsageError({
    flag: what,
    expected:
      known.length === 0
        ? "the name of a service, and the journal has none yet"
        : `the name of a service (known: ${known.join(", ")})`,
    found: found.map((name) => JSON.stringify(name)).join(", ")
  })

/** By the time that a check may be without a result, as the watching program has noted it. */
export const seemsToRun = Effect.gen(function* () {
  const journal = yield* Journal
  const [last] = yield* journal.results({ limit: 1 })
  if (last === undefined) return false
  const { checks } = yield* state
  const allowed = [...HashMap.values(checks)].flatMap(({ expectedBy, lastResult }) =>
    expectedBy === null || lastResult === 0 ? [] : [expectedBy - lastResult]
  )
  const now = yield* Clock.currentTimeMillis
  return now - last.at <= Math.max(ordinary, ...allowed)
})

/** Three intervals of a check that says nothing of its own. */
const ordinary = 90_000
