/**
 * Rounds of `holter watch` on a PostgreSQL journal, each with something that goes wrong at a place
 * that a seed chooses: kills, cuts at a statement, frozen and cut-off leaders, channels that hang,
 * silences, clocks that are set.
 */
import { Effect, Random, type Scope } from "effect"
import * as Cli from "../../support/Cli.js"
import * as CutProxy from "../../support/CutProxy.js"
import type { PostgresInstance } from "../../support/PostgresServer.js"
import { ServerError } from "../../support/ServerError.js"
import * as TempDir from "../../support/TempDir.js"
import type { Expected } from "./judge.js"
import * as World from "./World.js"

export interface Stage {
  readonly world: World.World
  readonly proxy: CutProxy.CutProxy
  /** A program that watches, over the proxy or straight. */
  readonly watch: (
    name: string,
    road: "proxy" | "straight",
    env?: Readonly<Record<string, string>>
  ) => Effect.Effect<Cli.CliProcess, ServerError, Scope.Scope>
  /** Another command on the same journal. */
  readonly command: (
    ...args: ReadonlyArray<string>
  ) => Effect.Effect<Cli.CliResult, ServerError, Scope.Scope>
  readonly rows: (sql: string) => Effect.Effect<number, ServerError>
  /** What is wrong beside what every receiver can judge. */
  readonly wrong: Array<string>
  readonly notes: Array<string>
}

type Round = (stage: Stage) => Effect.Effect<Partial<Expected>, ServerError | Error, Scope.Scope>

/** So many statements the start has, and some more. */
const statements = 60

const isOpen = (service: string) => (world: World.World) =>
  world
    .received()
    .some(
      ({ alert, isTaken }) =>
        isTaken && alert.services.some((one) => one.service === service && !one.over)
    )

/** Everything that was opened is over, and something was. */
const isOver = (world: World.World): boolean => {
  const last = new Map<string, boolean>()
  for (const { alert, isTaken } of world.received()) {
    if (!isTaken) continue
    for (const { incident, over } of alert.services)
      last.set(incident, over || last.get(incident) === true)
  }
  return last.size > 0 && [...last.values()].every(Boolean)
}

const probes = (world: World.World) => world.probed().length

/** Checked so often from now on. */
const beats = ({ world }: Stage, count: number) =>
  Effect.suspend(() => {
    const before = probes(world)
    return world.until(`${count} beats`, (now) => probes(now) >= before + count)
  })

const opened = (stage: Stage, service = "a") =>
  Effect.zipRight(
    stage.world.down(service),
    stage.world.until(`the alert of ${service}`, isOpen(service))
  )

/** It is in the journal, and not only told because that took too long. */
const recorded = ({ rows }: Stage) =>
  Effect.repeat(rows("SELECT count(*)::int AS n FROM holter_incidents"), {
    until: (count) => count > 0
  })

const over = (stage: Stage) => stage.world.until("the end of everything that was opened", isOver)

const kill = (watch: Cli.CliProcess) => Effect.zipRight(watch.signal("SIGKILL"), watch.exit)

const stop = (stage: Stage, watch: Cli.CliProcess) =>
  Effect.gen(function* () {
    yield* watch.signal("SIGTERM")
    const { code, stderr } = yield* watch.exit
    // A machine that is busy elsewhere may need longer than a step of the end has.
    if (code === 0 || (code === 1 && /overran/.test(stderr))) return
    const lines = stderr.split("\n").filter((line) => !/completed"$/.test(line))
    stage.wrong.push(`exit ${code}: ${lines.slice(-12).join("\n")}`)
  })

const cutSomewhere = Effect.gen(function* () {
  const at = yield* Random.nextIntBetween(1, statements)
  const side = (yield* Random.nextBoolean) ? ("before" as const) : ("after" as const)
  const refuse = [0, 0, 500, 2500][yield* Random.nextIntBetween(0, 4)] ?? 0
  return { at, side, refuse }
})

/** An outage that an earlier run told, or still owes, and a start whose journal is cut. */
const cut: Round = (stage) =>
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
      yield* Effect.repeat(rows("SELECT count(*)::int AS n FROM holter_outbox"), {
        until: (count) => count > 0
      })
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
const refused: Round = (stage) =>
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
const frozen: Round = (stage) =>
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
const cutOff: Round = (stage) =>
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

/** A receiver that takes and never answers, answers late, or fails; then more goes down. */
const channels: Round = (stage) =>
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
const silence: Round = (stage) =>
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

/** The clock is set, or the program does not run for a while, in an outage. */
const clock: Round = (stage) =>
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

const kinds = { cut, refused, frozen, cutOff, channels, silence, clock }
export type Kind = keyof typeof kinds

/**
 * Fifteen rounds, the slow ones first: the rest goes on beside them. HOLTER_SOAK_KINDS chooses others
 * (`channels,silence`).
 */
export const order: ReadonlyArray<Kind> = [
  ...(["frozen", "cutOff", "cut", "refused", "clock", "cut", "cut", "cut"] as const),
  ...(["cut", "refused", "cut", "cut", "clock", "cut", "cut"] as const)
]

export const isKind = (name: string): name is Kind => Object.hasOwn(kinds, name)

export interface Outcome {
  readonly notes: ReadonlyArray<string>
  readonly wrong: ReadonlyArray<string>
  readonly world: World.World
  readonly expected: Expected
}

export const run = (
  server: PostgresInstance,
  kind: Kind,
  seed: string
): Effect.Effect<Outcome, ServerError> =>
  Effect.gen(function* () {
    const world = yield* World.make
    const proxy = yield* CutProxy.make(server)
    const database = `soak_${seed.replaceAll(/\W/g, "_")}`
    yield* server.query(`CREATE DATABASE ${database} OWNER ${server.user}`)
    const url = (port: number) => server.urlWith({ port, database, params: { sslmode: "disable" } })
    const stage: Stage = {
      world,
      proxy,
      wrong: [],
      notes: [kind],
      watch: (name, road, env = {}) =>
        Cli.start(["watch"], {
          timeout: "2 minutes",
          env: { ...env, HOLTER_JOURNAL_URL: url(road === "proxy" ? proxy.port : server.port) },
          files: config(name, world.url)
        }),
      command: (...args) =>
        Cli.run(args, {
          env: { HOLTER_JOURNAL_URL: url(server.port) },
          files: config("asking", world.url)
        }),
      rows: (sql) => counted(server, database, sql)
    }
    const expected = yield* kinds[kind](stage).pipe(
      Effect.catchAll((error) => {
        stage.wrong.push(error.message)
        return Effect.succeed<Partial<Expected>>({})
      })
    )
    return {
      ...{ notes: stage.notes, wrong: stage.wrong, world },
      expected: { mayTellTwice: false, hasClock: true, ...expected }
    }
  }).pipe(Effect.scoped, Effect.withRandom(Random.make(seed)))

const counted = (server: PostgresInstance, database: string, sql: string) =>
  Effect.gen(function* () {
    const { default: pg } = yield* Effect.promise(() => import("pg"))
    const client = new pg.Client({ connectionString: server.urlWith({ database }) })
    return yield* Effect.tryPromise({
      try: async () => {
        await client.connect()
        const { rows } = await client.query<{ readonly n: number }>(sql)
        return rows[0]?.n ?? 0
      },
      catch: (cause) => new ServerError({ server: "soak", operation: "count", detail: sql, cause })
    }).pipe(Effect.ensuring(Effect.promise(() => client.end())), Effect.delay("100 millis"))
  })

const config = (name: string, url: string): Readonly<Record<string, string>> => ({
  "holter.config.yaml": [
    `name: ${name}`,
    "heartbeat: { interval: 1 second, timeout: 1 second, failureThreshold: 2, recoveryThreshold: 2 }",
    "checks:",
    `  a: { type: http, url: "${url}/a", timeout: 1 second }`,
    `  b: { type: http, url: "${url}/b", timeout: 1 second }`,
    "alerts:",
    `  channels: { hook: { type: webhook, url: "${url}/hook", timeout: 1 second } }`,
    "  routes: [{ severity: unhealthy, to: [hook] }]",
    "  limits: { startGrace: 1 millis, groupWindow: 100 millis }"
  ].join("\n")
})
