/**
 * Where a round of faults plays: programs that watch over a journal, the road to it, and what they
 * check and tell. With the steps that most rounds have.
 */
import { Effect, type Scope } from "effect"
import * as Cli from "../../support/Cli.js"
import * as CutProxy from "../../support/CutProxy.js"
import type { PostgresInstance } from "../../support/PostgresServer.js"
import { ServerError } from "../../support/ServerError.js"
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

export type Round = (
  stage: Stage
) => Effect.Effect<Partial<Expected>, ServerError | Error, Scope.Scope>

/** A database of its own on the server. */
export const make = (
  server: PostgresInstance,
  kind: string,
  seed: string
): Effect.Effect<Stage, ServerError, Scope.Scope> =>
  Effect.gen(function* () {
    const world = yield* World.make
    const proxy = yield* CutProxy.make(server)
    const database = `soak_${seed.replaceAll(/\W/g, "_")}`
    yield* server.query(`CREATE DATABASE ${database} OWNER ${server.user}`)
    const url = (port: number) => server.urlWith({ port, database, params: { sslmode: "disable" } })
    return {
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
  })

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

/** What one configuration has and another one has not. */
export interface Variant {
  readonly checks?: ReadonlyArray<string>
  /** Of each check: two of another patience are two checks. */
  readonly slow?: string
  readonly hook?: string
}

export const config = (
  name: string,
  url: string,
  { checks = ["a", "b"], hook = "1 second", slow = "9 seconds" }: Variant = {}
): Readonly<Record<string, string>> => ({
  "holter.config.yaml": [
    `name: ${name}`,
    "heartbeat: { interval: 1 second, timeout: 1 second, failureThreshold: 2, recoveryThreshold: 2 }",
    "checks:",
    ...checks.map(
      (check) =>
        `  ${check}: { type: http, url: "${url}/${check}", timeout: 1 second, slow: ${slow} }`
    ),
    "alerts:",
    `  channels: { hook: { type: webhook, url: "${url}/hook", timeout: ${hook} } }`,
    "  routes: [{ severity: unhealthy, to: [hook] }]",
    "  limits: { startGrace: 1 millis, groupWindow: 100 millis }"
  ].join("\n")
})

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
export const beats = ({ world }: Stage, count: number) =>
  Effect.suspend(() => {
    const before = probes(world)
    return world.until(`${count} beats`, (now) => probes(now) >= before + count)
  })

export const opened = (stage: Stage, service = "a") =>
  Effect.zipRight(
    stage.world.down(service),
    stage.world.until(`the alert of ${service}`, isOpen(service))
  )

/** It is in the journal, and not only told because that took too long. */
export const recorded = ({ rows }: Stage) =>
  // Where the start was cut there are no tables yet.
  Effect.repeat(
    Effect.orElseSucceed(rows("SELECT count(*)::int AS n FROM holter_incidents"), () => 0),
    { until: (count) => count > 0 }
  )

export const over = (stage: Stage) =>
  stage.world.until("the end of everything that was opened", isOver)

export const kill = (watch: Cli.CliProcess) => Effect.zipRight(watch.signal("SIGKILL"), watch.exit)

export const stop = (stage: Stage, watch: Cli.CliProcess) =>
  Effect.gen(function* () {
    yield* watch.signal("SIGTERM")
    const { code, stderr } = yield* watch.exit
    if (code === 0) return
    const lines = stderr.split("\n").filter((line) => !/completed"$/.test(line))
    stage.wrong.push(`exit ${code}: ${lines.slice(-12).join("\n")}`)
  })
