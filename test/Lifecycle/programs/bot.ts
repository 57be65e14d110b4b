/**
 * A bot as the tests start it: an HTTP server, a state file, a hook in every phase, and whatever
 * trouble its configuration asks for (the first argument, as JSON).
 */
import { NodeFileSystem, NodeHttpServer, NodePath, NodeRuntime } from "@effect/platform-node"
import { HttpServer, HttpServerRequest, HttpServerResponse } from "@effect/platform"
import { Data, Effect, FiberSet, Layer, Option, Schema } from "effect"
import {
  Beacon,
  Check,
  CheckRegistry,
  CheckRunner,
  HealthMonitor,
  HttpDrain,
  launch,
  Lifecycle,
  Outcome,
  runMain,
  StateStore
} from "holter"
import { spawn } from "node:child_process"
import { once } from "node:events"
import * as http from "node:http"
import { Worker } from "node:worker_threads"
import { get } from "../client.js"

export interface Config {
  readonly grace?: string
  readonly lameDuck?: string
  readonly faultGrace?: string
  readonly hookTimeout?: string
  readonly drainTimeout?: string
  readonly requestTimeout?: "500 millis"
  /** Which server: Node's own, or the platform's on top of it. */
  readonly server?: "node" | "platform"
  readonly main?: "holter" | "node" | "node-guarded"
  readonly trouble?: ReadonlyArray<Trouble>
}

export type Trouble =
  | "hang"
  | "deaf"
  | "fail"
  | "block"
  | "slow-start"
  | "deaf-start"
  | "start-fails"
  | "worker"
  | "child"
  | "chatty"
  | "exception"
  | "rejection"
  | "saving"
  | "check"
  | "alert"

const config = JSON.parse(process.argv[2] ?? "{}") as Config
const has = (trouble: Trouble) => config.trouble?.includes(trouble) === true
const say = (text: string) => Effect.sync(() => process.stdout.write(`${text}\n`))

class BotError extends Data.TaggedError("BotError")<{ readonly message: string }> {}

const Tally = Schema.Struct({ answered: Schema.Number })
let answered = 0

const State = Layer.scopedDiscard(
  Effect.gen(function* () {
    const store = yield* StateStore.make({ file: "state.json", version: 1, schema: Tally })
    answered = Option.match(yield* store.loadState, {
      onNone: () => 0,
      onSome: (state) => state.answered
    })
    yield* StateStore.saveOnShutdown(
      store,
      Effect.sync(() => ({ answered }))
    )
    if (!has("saving")) return
    // As often as it can: whatever moment it is killed at, it is just saving.
    const save = Effect.suspend(() => store.saveState({ answered: answered++ }))
    yield* save
    yield* say("saving")
    yield* Effect.forkScoped(Effect.forever(Effect.zipLeft(save, Effect.yieldNow())))
  })
).pipe(Layer.provide([NodeFileSystem.layer, NodePath.layer]))

/** `/work?ms=50`, `/readyz`, `/livez`. */
const respond = (url: string, isAccepting: () => boolean) =>
  Effect.gen(function* () {
    const { pathname, searchParams } = new URL(url, "http://bot")
    if (pathname === "/livez") return 200
    if (pathname === "/readyz") return isAccepting() ? 200 : 503
    yield* say(`started ${searchParams.get("id") ?? ""}`)
    yield* Effect.sleep(`${Number(searchParams.get("ms") ?? 0)} millis`)
    answered += 1
    return 200
  })

const listen = (server: http.Server) =>
  Effect.async<void>((resume) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = typeof address === "object" ? address?.port : undefined
      process.stdout.write(`listening ${port}\n`)
      resume(Effect.void)
    })
  })

const NodeServer = Layer.scopedDiscard(
  Effect.gen(function* () {
    const { isAccepting } = yield* Lifecycle.Lifecycle
    const run = yield* FiberSet.makeRuntime()
    const server = http.createServer((request, response) => {
      run(
        Effect.map(respond(request.url ?? "", isAccepting), (status) => {
          response.writeHead(status).end("done")
        })
      )
    })
    yield* HttpDrain.register(server, { drainTimeout: config.requestTimeout })
    yield* listen(server)
  })
)

const PlatformServer = Layer.unwrapScoped(
  Effect.gen(function* () {
    const { isAccepting } = yield* Lifecycle.Lifecycle
    const server = http.createServer()
    yield* HttpDrain.register(server, { drainTimeout: config.requestTimeout })
    const app = Effect.gen(function* () {
      const request = yield* HttpServerRequest.HttpServerRequest
      const status = yield* respond(request.url, isAccepting)
      return HttpServerResponse.text("done", { status })
    })
    const announce = Layer.effectDiscard(
      Effect.flatMap(HttpServer.HttpServer, ({ address }) =>
        say(`listening ${address._tag === "TcpAddress" ? address.port : ""}`)
      )
    )
    return Layer.merge(HttpServer.serve(app), announce).pipe(
      Layer.provide(NodeHttpServer.layer(() => server, { port: 0, host: "127.0.0.1" }))
    )
  })
)

const Hooks = Layer.scopedDiscard(
  Effect.gen(function* () {
    const { on } = yield* Lifecycle.Lifecycle
    for (const phase of Lifecycle.phaseNames)
      yield* on(phase, `hook of ${phase}`, say(`closed ${phase}`))
    if (has("hang")) yield* on("bot", "hanging", Effect.zipRight(say("hanging"), Effect.never))
    if (has("deaf")) yield* on("bot", "deaf", Effect.uninterruptible(Effect.never))
    if (has("fail")) yield* on("bot", "failing", new BotError({ message: "no such bot" }))
    if (has("block")) yield* on("bot", "blocking", Effect.zipRight(say("blocking"), block))
    if (has("chatty")) {
      const lines = Effect.forEach(Array.from({ length: 4000 }), (_, line) =>
        Effect.logInfo(`line ${line} ${"of many ".repeat(10)}`)
      )
      yield* on("close", "chatty", lines, { timeout: "5 seconds" })
    }
  })
)

const block = Effect.sync((): void => {
  for (;;);
})

/** Work in flight that starts a process, as a backup does. */
const Child = Layer.scopedDiscard(
  Effect.gen(function* () {
    const beacon = yield* Beacon.Beacon
    const work = Effect.acquireUseRelease(
      Effect.sync(() => spawn("sleep", ["600"], { stdio: "ignore" })),
      (child) => Effect.zipRight(say(`child ${child.pid}`), Effect.never),
      (child) => {
        child.kill("SIGKILL")
        return Effect.promise(() => once(child, "exit"))
      }
    )
    yield* Effect.forkScoped(beacon.track("backup")(work))
  })
)

class ProbeError extends Schema.TaggedError<ProbeError>()("ProbeError", {
  reason: Schema.Literal("None")
}) {}

const Slow = Check.make("slow", {
  description: "takes 400 ms",
  config: {},
  error: ProbeError,
  services: () => Layer.empty,
  probe: (): Effect.Effect<Outcome.Outcome, ProbeError> =>
    Effect.zipRight(say("checking"), Effect.as(Effect.sleep("400 millis"), Outcome.healthy("fine")))
})

/** A run of checks in flight, whose result is wanted. */
const Checks = Layer.scopedDiscard(
  Effect.gen(function* () {
    const { track } = yield* Beacon.Beacon
    const monitor = yield* HealthMonitor.HealthMonitor
    const run = Effect.tap(monitor.runAllChecks, (results) =>
      say(`check ${results.get("slow")?.status}`)
    )
    yield* Effect.forkScoped(track("checks")(run))
  })
).pipe(
  Layer.provide(HealthMonitor.layer),
  Layer.provide(Slow.layer({})),
  Layer.provide([CheckRunner.layer(), CheckRegistry.layer]),
  Layer.orDie
)

/** An alert on its way: the channel answers when it wants to. */
const Alert = Layer.scopedDiscard(
  Effect.gen(function* () {
    const { track } = yield* Beacon.Beacon
    const send = Effect.flatMap(get(process.env["CHANNEL_URL"] ?? ""), ({ status }) =>
      say(`alert ${status}`)
    )
    yield* Effect.forkScoped(track("alert")(send))
  })
)

const started = (text: string, then: Effect.Effect<void>) =>
  Layer.scopedDiscard(
    Effect.zipRight(
      Effect.acquireRelease(say(text), () => say("released the start")),
      then
    )
  )

const reject = () => {
  void Promise.reject(new Error("nobody handles this"))
}

const troubles = [
  ...(has("slow-start") ? [started("starting", Effect.never)] : []),
  ...(has("deaf-start") ? [started("starting", Effect.uninterruptible(Effect.never))] : []),
  ...(has("child") ? [Child] : []),
  ...(has("check") ? [Checks] : []),
  ...(has("alert") ? [Alert] : []),
  ...(has("worker")
    ? [
        Layer.effectDiscard(
          Effect.sync(() => new Worker("setInterval(() => {}, 1)", { eval: true }))
        )
      ]
    : []),
  ...(has("exception")
    ? [
        Layer.effectDiscard(
          Effect.sync(() =>
            setImmediate(() => {
              throw new Error("nobody catches this")
            })
          )
        )
      ]
    : []),
  ...(has("rejection") ? [Layer.effectDiscard(Effect.sync(() => setImmediate(reject)))] : [])
]

const App: Layer.Layer<
  never,
  Lifecycle.PlanError | StateStore.StateStoreError | BotError,
  Lifecycle.Lifecycle | Beacon.Beacon
> = (config.server === "platform" ? Layer.orDie(PlatformServer) : NodeServer).pipe(
  // Last: who reads that it listens may rely on all the rest.
  Layer.provideMerge(Layer.merge(State, Hooks)),
  (base) => troubles.reduce((app, trouble) => Layer.provideMerge(trouble, app), base as typeof App),
  (app) =>
    has("start-fails")
      ? Layer.provideMerge(Layer.fail(new BotError({ message: "port 3000 is taken" })), app)
      : app
)

const options = config as Lifecycle.Options
switch (config.main ?? "holter") {
  case "holter":
    runMain(launch(App, options), { name: "bot" })
    break
  case "node":
    NodeRuntime.runMain(launch(App, options))
    break
  case "node-guarded":
    NodeRuntime.runMain(
      Layer.launch(Lifecycle.guarded(App.pipe(Layer.provide(Beacon.layer({}))), options))
    )
}
