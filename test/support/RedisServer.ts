/**
 * A private Redis server on its own port and socket, without persistence. It can be paused
 * (SIGSTOP), stopped and started again on the same port, kept loading, and made to fail a save.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { Redis, type RedisOptions as DriverOptions } from "ioredis"
import { chmod, chown, writeFile } from "node:fs/promises"
import type { Certificate } from "./Certificates.js"
import * as FreePort from "./FreePort.js"
import { live } from "./live.js"
import * as ManagedProcess from "./ManagedProcess.js"
import { fromUnknown, ServerError } from "./ServerError.js"
import * as TempDir from "./TempDir.js"
import * as TestRun from "./TestRun.js"
import { type UrlParts, urlOf } from "./url.js"

export interface RedisOptions {
  readonly requirepass?: string
  readonly replicaof?: Pick<RedisInstance, "host" | "port" | "password">
  /** For example "2mb". */
  readonly maxmemory?: string
  /** Takes TLS only, with this certificate; the socket stays plain. */
  readonly tls?: Certificate
  /** A Sentinel, which watches no primary. */
  readonly sentinel?: boolean
  /** Any directive of redis.conf; several words are several arguments. */
  readonly config?: Readonly<Record<string, string>>
}

export interface RedisInstance {
  readonly host: "127.0.0.1"
  readonly port: number
  readonly password: string | undefined
  readonly socket: string
  readonly url: string
  readonly socketUrl: string
  readonly urlWith: (parts: UrlParts) => string
  /** With the server's password, over a connection of its own. */
  readonly command: (
    ...args: readonly [string, ...ReadonlyArray<string | number>]
  ) => Effect.Effect<unknown, ServerError>
  readonly pause: Effect.Effect<void, ServerError>
  readonly resume: Effect.Effect<void, ServerError>
  readonly stop: Effect.Effect<void, ServerError>
  readonly start: Effect.Effect<void, ServerError>
  /** Starts it again with so much to load that it answers -LOADING for minutes. */
  readonly startLoading: Effect.Effect<void, ServerError>
  /** One background save that fails: `rdb_last_bgsave_status:err`. */
  readonly failSave: Effect.Effect<void, ServerError>
  /** Waits until INFO has this text, for example "master_link_status:up". */
  readonly awaitInfo: (text: string) => Effect.Effect<string, ServerError>
  readonly log: Effect.Effect<string>
  readonly pid: Effect.Effect<number | undefined>
}

export class RedisServer extends Context.Tag("holter/test/RedisServer")<
  RedisServer,
  RedisInstance
>() {
  static make = (
    options: RedisOptions = {}
  ): Effect.Effect<RedisInstance, ServerError, Scope.Scope> => make(options)

  static layer = (options: RedisOptions = {}): Layer.Layer<RedisServer, ServerError> =>
    Layer.scoped(RedisServer, make(options))
}

const ready = /Ready to accept connections|Sentinel ID is/
const loading = /Loading RDB produced by/

const make = Effect.fn(function* (options: RedisOptions) {
  const run = yield* TestRun.current
  const binary = run.binaries.redis
  if (binary === undefined) {
    return yield* new ServerError({
      server: "redis",
      operation: "find",
      detail: 'no redis-server on this machine: use describeWithServices("redis", ...)'
    })
  }
  const folder = yield* TempDir.make("redis")
  if (run.user !== undefined) {
    const { gid, uid } = run.user
    yield* Effect.promise(() => chown(folder, uid, gid))
  }
  for (const [name, text] of Object.entries(options.tls ?? {})) {
    const file = `${folder}/server.${name}`
    yield* Effect.promise(() => writeFile(file, String(text), { mode: 0o600 }))
    if (run.user !== undefined) {
      const { gid, uid } = run.user
      yield* Effect.promise(() => chown(file, uid, gid))
    }
  }
  // A Sentinel keeps what it knows in its configuration.
  const configuration = options.sentinel === true ? [`${folder}/sentinel.conf`, "--sentinel"] : []
  for (const file of configuration.slice(0, 1)) {
    yield* Effect.promise(() => writeFile(file, "", { mode: 0o666 }))
    yield* Effect.promise(() => chmod(file, 0o666))
  }
  const scope = yield* Effect.scope
  const socket = `${folder}/redis.sock`
  const password = options.requirepass
  let logs = ""
  let current: { process: ManagedProcess.ManagedProcess; scope: Scope.CloseableScope } | undefined

  const launch = Effect.fn(function* (
    port: number,
    extra: ReadonlyArray<string> = [],
    until: RegExp = ready
  ) {
    const owned = yield* Scope.fork(scope, { _tag: "Sequential" })
    const starting = Effect.gen(function* () {
      const process = yield* ManagedProcess.start({
        name: "redis-server",
        command: binary,
        args: [...configuration, ...argumentsOf(options, { port, folder, socket }), ...extra],
        cwd: folder,
        unprivileged: true
      })
      current = { process, scope: owned }
      yield* process.awaitOutput(until)
    }).pipe(Scope.extend(owned))
    yield* starting.pipe(
      Effect.onError((cause) =>
        Effect.suspend(() => {
          current = undefined
          return Scope.close(owned, Exit.failCause(cause))
        })
      )
    )
  })

  const port = yield* FreePort.find.pipe(
    Effect.tap((found) => launch(found)),
    Effect.retry({ times: 4, while: isPortTaken })
  )

  const command: RedisInstance["command"] = (name, ...args) =>
    Effect.scoped(
      Effect.gen(function* () {
        const client = yield* connect({
          path: socket,
          ...(password === undefined ? {} : { password })
        })
        return yield* Effect.tryPromise({
          try: () => client.call(name, args.map(String)),
          catch: fromUnknown("redis", name)
        })
      })
    )

  const stop = Effect.suspend(() => {
    if (current === undefined) return Effect.void
    const stopping = current
    current = undefined
    return Scope.close(stopping.scope, Exit.void).pipe(
      Effect.ensuring(
        Effect.sync(() => {
          logs += stopping.process.log()
        })
      )
    )
  })

  const whenRunning = (use: (process: ManagedProcess.ManagedProcess) => Effect.Effect<unknown>) =>
    Effect.suspend(() =>
      current === undefined ? Effect.void : Effect.asVoid(use(current.process))
    )

  const awaitInfo = (text: string) =>
    command("INFO").pipe(
      Effect.map(String),
      Effect.repeat(
        Schedule.spaced("10 millis").pipe(
          Schedule.zipRight(Schedule.recurUntil((info: string) => info.includes(text)))
        )
      ),
      live
    )

  const urlWith = (parts: UrlParts) =>
    urlOf({
      scheme: options.tls === undefined ? "redis" : "rediss",
      password,
      host: "127.0.0.1",
      port,
      database: "0",
      ...parts
    })

  const instance: RedisInstance = {
    host: "127.0.0.1",
    port,
    password,
    socket,
    url: urlWith({}),
    socketUrl: `unix://${password === undefined ? "" : `:${encodeURIComponent(password)}@`}${socket}`,
    urlWith,
    command,
    pause: whenRunning((process) => process.pause),
    resume: whenRunning((process) => process.resume),
    stop,
    start: Effect.suspend(() =>
      current?.process.isRunning() === true ? Effect.void : Effect.zipRight(stop, launch(port))
    ),
    startLoading: Effect.gen(function* () {
      yield* command("DEBUG", "POPULATE", 100_000)
      yield* command("SAVE")
      yield* stop
      // A millisecond a key, and an answer to clients after every few of them.
      const slow = ["--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024"]
      yield* launch(port, slow, loading)
    }),
    failSave: Effect.gen(function* () {
      yield* Effect.promise(() => chmod(folder, 0o511))
      yield* command("SET", "test:save", "1")
      yield* command("BGSAVE")
      yield* awaitInfo("rdb_last_bgsave_status:err")
      yield* Effect.promise(() => chmod(folder, 0o711))
    }),
    awaitInfo,
    log: Effect.sync(() => logs + (current?.process.log() ?? "")),
    pid: Effect.sync(() => current?.process.pid)
  }
  return instance
})

const isPortTaken = (error: ServerError): boolean => /Address already in use/.test(error.detail)

const argumentsOf = (
  options: RedisOptions,
  place: { readonly port: number; readonly folder: string; readonly socket: string }
): ReadonlyArray<string> => {
  const primary = options.replicaof
  const directives: Record<string, string | ReadonlyArray<string>> = {
    port: String(place.port),
    bind: "127.0.0.1",
    unixsocket: place.socket,
    unixsocketperm: "777",
    dir: place.folder,
    save: [""],
    appendonly: "no",
    "enable-debug-command": "yes",
    "repl-diskless-sync-delay": "0",
    ...(options.tls === undefined ? {} : tlsOnly(place)),
    ...(options.requirepass === undefined ? {} : { requirepass: [options.requirepass] }),
    ...(options.maxmemory === undefined ? {} : { maxmemory: options.maxmemory }),
    ...(primary === undefined ? {} : { replicaof: [primary.host, String(primary.port)] }),
    ...(primary?.password === undefined ? {} : { masterauth: [primary.password] }),
    ...options.config
  }
  return Object.entries(directives).flatMap(([name, value]) => [
    `--${name}`,
    ...(typeof value === "string" ? value.split(" ") : value)
  ])
}

const tlsOnly = (place: { readonly port: number; readonly folder: string }) => ({
  port: "0",
  "tls-port": String(place.port),
  "tls-cert-file": `${place.folder}/server.cert`,
  "tls-key-file": `${place.folder}/server.key`,
  "tls-auth-clients": "no"
})

const connect = (options: DriverOptions): Effect.Effect<Redis, ServerError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const client = new Redis({
        ...options,
        lazyConnect: true,
        maxRetriesPerRequest: 0,
        enableReadyCheck: false,
        retryStrategy: () => null
      })
      // Without a listener the driver writes its errors to the console.
      client.on("error", () => {})
      return client
    }),
    (client) => Effect.sync(() => client.disconnect())
  ).pipe(
    Effect.tap((client) =>
      Effect.tryPromise({ try: () => client.connect(), catch: fromUnknown("redis", "connect") })
    )
  )
