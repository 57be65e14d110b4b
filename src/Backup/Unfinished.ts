/**
 * The names of what is not finished: they tell which process made it, so that what a dead one left can be told
 * from what a live one works on.
 */
import { Effect } from "effect"
import * as ProcessIdentity from "../System/ProcessIdentity.js"
import { partial, scratch } from "./Unfinished/starts.js"

/** A name that nobody else makes. @internal */
export const nextName = (start: string = partial): Effect.Effect<string> =>
  Effect.gen(function* () {
    const me = ProcessIdentity.format(yield* ProcessIdentity.self)
    return `${start}${me}-${yield* ProcessIdentity.unique}`
  })

/** Whether something may be of an unfinished work, by its name. @internal */
export const isName = (name: string): boolean =>
  name.startsWith(partial) || name.startsWith(scratch)

/**
 * Whether nobody works on it any more. `age` is how long ago it was changed by the clock that dated it; it is
 * asked of an owner that cannot be asked: one of another machine, or another container.
 *
 * @internal
 */
export const isLeft = <E>(name: string, age: Effect.Effect<number, E>): Effect.Effect<boolean, E> =>
  Effect.gen(function* () {
    const [, start = "", text = ""] = form.exec(name) ?? []
    const me = yield* ProcessIdentity.self
    const owner = ProcessIdentity.parse(text, me)
    if (owner === undefined) return false
    const state = yield* ProcessIdentity.stateOf(owner, me)
    if (state !== "unknown") return state === "dead"
    return (yield* age) > (start === partial ? partialMillis : scratchMillis)
  })

/** An owner, and what makes its names unique; strategies put more behind it. */
const form = /^(\.partial-|\.holter-scratch-)([0-9a-z-]+)-[0-9a-f]{16}(?![0-9a-z])/

/** Such an owner does not hold the lock any more; it may still be writing. */
const partialMillis = 120_000

/** A drill takes no lock: longer than any work on a backup takes. */
const scratchMillis = 24 * 3_600_000
