/**
 * Rounds in which the road to the journal, or the one that has it, goes away.
 */
import { Effect, Random } from "effect"
import { beats, kill, opened, over, recorded, type Round, type Stage, stop } from "./Stage.js"

/** So many statements the start has, and some more. */
const statements = 60

/** What an earlier run left is read by two of them: every other cut is there. */
const readings = ["SELECT state FROM holter_state", "FROM holter_outbox ORDER BY"]

const cutSomewhere = Effect.gen(function* () {
  const anywhere = yield* Random.nextIntBetween(1, statements)
  const at = readings[yield* Random.nextIntBetween(0, 2 * readings.length)] ?? anywhere
  const side = (yield* Random.nextBoolean) ? ("before" as const) : ("after" as const)
  const refuse = [0, 0, 500, 2500][yield* Random.nextIntBetween(0, 4)] ?? 0
  return { at, side, refuse }
})

/** An outage that an earlier run told, or still owes, and a start whose journal is cut. */
export const cut: Round = (stage) =>
  Effect.gen(function* () {
    const { notes, proxy, rows, world } = stage
    const plan = yield* cutSomewhere
    const kind = yield* Random.nextIntBetween(0, 4)
    notes.push(`cut ${JSON.stringify(plan)}, kind ${kind}`)
    const first = yield* stage.watch("first", "proxy")
    if (kind === 3) yield* proxy.cut(plan)
    yield* Effect.zipRight(opened(stage), recorded(stage))
    if (kind === 1) {
      // The end is decided and owed, and the receiver was away.
      yield* world.hook("refuse")
      yield* world.up("a")
      yield* Effect.repeat(
        rows("SELECT count(*)::int AS n FROM holter_outbox WHERE key LIKE '%/resolved/%'"),
        {
          until: (count) => count > 0
        }
      )
    }
    if (kind === 3) {
      yield* world.up("a")
      yield* over(stage)
      yield* stop(stage, first)
      return {}
    }
    yield* kill(first)
    if (kind === 2) yield* world.up("a")
    yield* world.hook("ok")
    yield* proxy.cut(plan)
    const second = yield* stage.watch("second", "proxy")
    yield* beats(stage, 2)
    yield* world.up("a")
    yield* over(stage)
    yield* stop(stage, second)
    return { mayTellTwice: true }
  })

/** Told, killed, started while the database refuses, told again, and then it is back. */
export const refused: Round = (stage) =>
  Effect.gen(function* () {
    const { proxy, world } = stage
    const first = yield* stage.watch("first", "proxy")
    yield* Effect.zipRight(opened(stage), recorded(stage))
    yield* kill(first)
    yield* proxy.refuse
    const told = world.received().length
    const second = yield* stage.watch("second", "proxy")
    yield* world.until("the second alert", (now) => now.received().length > told)
    yield* proxy.restore
    yield* second.awaitStderr(/The journal is there/)
    yield* world.up("a")
    yield* over(stage)
    yield* stop(stage, second)
    return { mayTellTwice: true }
  })

/** From when on only this one may be heard. */
const onlyVoice = (stage: Stage, name: string) => {
  const from = stage.world.received().length
  return Effect.sync(() => {
    for (const { alert } of stage.world.received().slice(from)) {
      if (alert.installation !== name) {
        stage.wrong.push(`two voices: ${alert.key} is of ${alert.installation}`)
      }
    }
  })
}

/** A leader that is frozen in a transaction, and one that takes over. */
export const frozen: Round = (stage) =>
  Effect.gen(function* () {
    const { proxy, world } = stage
    const first = yield* stage.watch("first", "proxy")
    yield* beats(stage, 1)
    const statement = ['INSERT INTO "holter_results"', "UPDATE holter_lease"]
    const which = statement[yield* Random.nextIntBetween(0, 2)] ?? ""
    stage.notes.push(`frozen at ${which}`)
    yield* proxy.hold(new RegExp(which))
    yield* first.pause
    const heard = onlyVoice(stage, "second")
    const second = yield* stage.watch("second", "straight")
    yield* second.awaitStdout(/ status a /)
    yield* opened(stage)
    yield* proxy.restore
    yield* first.resume
    const { code } = yield* first.exit
    if (code !== 1) stage.wrong.push(`the one that was succeeded ended with ${code}`)
    yield* world.up("a")
    yield* over(stage)
    yield* heard
    yield* stop(stage, second)
    if (/kept in memory/.test((yield* second.exit).stderr)) {
      stage.wrong.push("the successor took a lock for a journal that is down")
    }
    return {}
  })

/** A leader that is cut off, and knows of one that wanted its place and comes again. */
export const cutOff: Round = (stage) =>
  Effect.gen(function* () {
    const { proxy, world } = stage
    const first = yield* stage.watch("first", "proxy")
    yield* beats(stage, 1)
    const refusedOne = yield* stage.watch("second", "straight")
    const { code: refusal } = yield* refusedOne.exit
    if (refusal !== 78) stage.wrong.push(`a second one ended with ${refusal}`)
    yield* proxy.refuse
    const heard = onlyVoice(stage, "second")
    const second = yield* stage.watch("second", "straight")
    yield* second.awaitStdout(/ status a /)
    yield* opened(stage)
    yield* beats(stage, 8)
    yield* proxy.restore
    const { code } = yield* first.exit
    if (code !== 1) stage.wrong.push(`the one that was succeeded ended with ${code}`)
    yield* world.up("a")
    yield* over(stage)
    yield* heard
    yield* stop(stage, second)
    return {}
  })
