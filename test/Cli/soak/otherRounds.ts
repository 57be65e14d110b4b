/**
 * Rounds in which the receiver, what an operator asked for, or the clock goes wrong.
 */
import { Effect, Random } from "effect"
import * as TempDir from "../../support/TempDir.js"
import { beats, config, opened, over, type Round, stop } from "./Stage.js"
import type * as World from "./World.js"

/** A receiver that takes and never answers, answers late, or fails; then more goes down. */
export const channels: Round = (stage) =>
  Effect.gen(function* () {
    const { world } = stage
    const modes: ReadonlyArray<World.Mode> = ["hang", "late", "500", "refuse"]
    const mode = modes[yield* Random.nextIntBetween(0, modes.length)] ?? "hang"
    const isEnd = yield* Random.nextBoolean
    stage.notes.push(`channel ${mode}, ${isEnd ? "at the end" : "at the beginning"}`)
    const watch = yield* stage.watch("first", "straight")
    if (isEnd) yield* opened(stage)
    yield* world.hook(mode)
    yield* isEnd ? world.up("a") : world.down("a")
    yield* beats(stage, 8)
    yield* world.down("b")
    yield* beats(stage, 8)
    yield* world.hook("ok")
    yield* world.up("a")
    yield* world.until("the alert of b", (now) =>
      now
        .received()
        .some(
          ({ alert, isClear }) => isClear && alert.services.some(({ service }) => service === "b")
        )
    )
    yield* world.up("b")
    yield* over(stage)
    yield* stop(stage, watch)
    return {}
  })

/** Down in a silence, stopped, well again, the silence over, started. */
export const silence: Round = (stage) =>
  Effect.gen(function* () {
    const { rows, world } = stage
    const first = yield* stage.watch("first", "straight")
    yield* beats(stage, 1)
    yield* stage.command("silence", "a", "--for", "1h")
    const taken = rows("SELECT count(*)::int AS n FROM holter_requests")
    yield* Effect.repeat(taken, { until: (left) => left === 0 })
    yield* world.down("a")
    yield* Effect.repeat(
      rows("SELECT count(*)::int AS n FROM holter_incidents WHERE ended_at IS NULL"),
      { until: (open) => open > 0 }
    )
    yield* stop(stage, first)
    yield* world.up("a")
    yield* stage.command("unsilence", "--all")
    const second = yield* stage.watch("second", "straight")
    yield* Effect.repeat(
      rows("SELECT count(*)::int AS n FROM holter_incidents WHERE ended_at IS NULL"),
      { until: (open) => open === 0 }
    )
    yield* beats(stage, 4)
    yield* stop(stage, second)
    if (world.received().length > 0) stage.wrong.push("a healthy service was told of")
    return {}
  })

/**
 * The configuration is read again and again, in an outage of services that stay, are others, leave and
 * come back, while the receiver does what it likes.
 */
export const reload: Round = (stage) =>
  Effect.gen(function* () {
    const { world } = stage
    const one = <A>(all: readonly [A, ...ReadonlyArray<A>]) =>
      Effect.map(Random.nextIntBetween(0, all.length), (index) => all[index] ?? all[0])
    const mode = yield* one<World.Mode>(["ok", "hang", "late", "500", "refuse"])
    stage.notes.push(`reloads while the channel is ${mode}`)
    const watch = yield* stage.watch("first", "straight")
    yield* beats(stage, 2)
    yield* world.hook(mode)
    for (let count = 1; count <= 5; count++) {
      yield* one([world.down("a"), world.up("a"), world.down("b"), world.up("b")] as const).pipe(
        Effect.flatten
      )
      yield* beats(stage, yield* one([1, 3, 6]))
      const variant = {
        checks: yield* one([["a", "b"], ["a"], ["a", "b", "c"]]),
        slow: yield* one(["9 seconds", "8 seconds"]),
        hook: yield* one(["1 second", "2 seconds"])
      }
      stage.notes.push(JSON.stringify(variant))
      yield* rewritten(watch.cwd, config("first", world.url, variant))
      yield* watch.signal("SIGHUP")
      yield* watch.awaitStdout(new RegExp(`(?: configuration reloaded: [^]*){${count}}`))
    }
    yield* rewritten(watch.cwd, config("first", world.url))
    yield* watch.signal("SIGHUP")
    yield* watch.awaitStdout(/(?: configuration reloaded: [^]*){6}/)
    yield* world.hook("ok")
    yield* world.up("a")
    yield* beats(stage, 8)
    yield* opened(stage)
    yield* Effect.zipRight(world.up("a"), world.up("b"))
    yield* over(stage)
    yield* beats(stage, 6)
    yield* over(stage)
    yield* stop(stage, watch)
    return {}
  })

const rewritten = (cwd: string, files: Readonly<Record<string, string>>) =>
  Effect.promise(async () => {
    const { writeFile } = await import("node:fs/promises")
    for (const [name, content] of Object.entries(files)) await writeFile(`${cwd}/${name}`, content)
  })

/** The clock is set, or the program does not run for a while, in an outage. */
export const clock: Round = (stage) =>
  Effect.gen(function* () {
    const { world } = stage
    const steps = [-7_200_000, 7_200_000, -90_000, 0]
    const step = steps[yield* Random.nextIntBetween(0, steps.length)] ?? 0
    stage.notes.push(step === 0 ? "a gap" : `the clock is set by ${step}`)
    const file = `${yield* TempDir.make("clock")}/step.cjs`
    const after = yield* Random.nextIntBetween(2000, 6000)
    yield* writeClock(file, after, step)
    const watch = yield* stage.watch("first", "straight", { NODE_OPTIONS: `--require ${file}` })
    yield* opened(stage)
    if (step === 0) {
      yield* watch.pause
      yield* Effect.sleep("3 seconds")
      yield* watch.resume
    }
    yield* beats(stage, Math.ceil(after / 1000))
    yield* world.up("a")
    yield* over(stage)
    yield* beats(stage, 2)
    const { stdout } = yield* stage.command("status", "--json")
    const status = JSON.parse(stdout) as {
      readonly services: Readonly<Record<string, { readonly status: string }>>
    }
    if (status.services["a"]?.status !== "healthy") {
      stage.wrong.push(`status shows ${status.services["a"]?.status} of a healthy service`)
    }
    yield* stop(stage, watch)
    return { hasClock: step === 0 }
  })

const writeClock = (file: string, after: number, step: number) =>
  Effect.promise(async () => {
    const { writeFile } = await import("node:fs/promises")
    await writeFile(
      file,
      `const real = Date.now, begun = real(); Date.now = () => real() + (real() - begun > ${after} ? ${step} : 0)\n`
    )
  })
