/**
 * A private PostgreSQL server: its own cluster, port and socket, with passwords asked for on
 * both. It can be paused (SIGSTOP), stopped and started again on the same port.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Scope from "effect/Scope"
import { execFile } from "node:child_process"
import { chown, mkdir, readFile, writeFile } from "node:fs/promises"
import * as path from "node:path"
import { promisify } from "node:util"
import type { Certificate } from "./Certificates.js"
import * as FreePort from "./FreePort.js"
import * as ManagedProcess from "./ManagedProcess.js"
import * as PostgresClient from "./PostgresClient.js"
import * as Template from "./PostgresTemplate.js"
import { fromUnknown, ServerError } from "./ServerError.js"
import * as TempDir from "./TempDir.js"
import * as TestRun from "./TestRun.js"
import { type UrlParts, urlOf } from "./url.js"

export interface PostgresOptions {
  readonly database?: string
  readonly user?: string
  readonly password?: string
  readonly maxConnections?: number
  /** Lines of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>
  /** A hot standby without a primary: in recovery, and read-only. */
  readonly standby?: boolean
  /** Takes TLS with this certificate; without one it takes none. */
  readonly tls?: Certificate
  /** Lines of pg_hba.conf for TCP, instead of a password for everybody from anywhere. */
  readonly hba?: ReadonlyArray<string>
  /** Another initdb made it: else all servers of a run are copies, with one system identifier. */
  readonly anotherCluster?: boolean
  /** Once the server that had it is stopped. */
  readonly port?: number
}

export interface PostgresInstance {
  readonly host: "127.0.0.1"
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
  readonly socketDir: string
  readonly dataDir: string
  /** As the server says it, for example "15.2". */
  readonly version: string
  readonly url: string
  readonly socketUrl: string
  readonly urlWith: (parts: UrlParts) => string
  /** As superuser, over a connection of its own: for setting up and looking in. */
  readonly query: PostgresClient.PostgresClient["query"]
  /** A connection that stays open with its scope. */
  readonly session: (
    as?: "app" | "admin"
  ) => Effect.Effect<PostgresClient.PostgresClient, ServerError, Scope.Scope>
  readonly pause: Effect.Effect<void, ServerError>
  readonly resume: Effect.Effect<void, ServerError>
  /** At once, without a checkpoint: the next start recovers. */
  readonly stop: Effect.Effect<void, ServerError>
  readonly start: Effect.Effect<void, ServerError>
  readonly log: Effect.Effect<string>
  /** The postmaster's process id; none while stopped. */
  readonly pid: Effect.Effect<number | undefined>
}

export class PostgresServer extends Context.Tag("holter/test/PostgresServer")<
  PostgresServer,
  PostgresInstance
>() {
  static make = (
    options: PostgresOptions = {}
  ): Effect.Effect<PostgresInstance, ServerError, Scope.Scope> => make(options)

  static layer = (options: PostgresOptions = {}): Layer.Layer<PostgresServer, ServerError> =>
    Layer.scoped(PostgresServer, make(options))
}

const make = Effect.fn(function* (options: PostgresOptions) {
  const run = yield* TestRun.current
  const template = yield* Template.make(
    run,
    options.anotherCluster === true ? "postgres-template-2" : undefined
  )
  const folder = yield* TempDir.make("pg")
  const dataDir = path.join(folder, "data")
  const socketDir = path.join(folder, "s")
  yield* Effect.tryPromise({
    try: async () => {
      await copyCluster(run, template.data, folder)
      for (const [name, text] of Object.entries(filesOf(options))) {
        await write(run, path.join(dataDir, name), text)
      }
    },
    catch: fromUnknown("postgres", "copy the template")
  })

  const scope = yield* Effect.scope
  const user = options.user ?? Template.application.user
  const password = options.password ?? Template.application.password
  const database = options.database ?? Template.application.database
  let logs = ""
  let current: { process: ManagedProcess.ManagedProcess; scope: Scope.CloseableScope } | undefined

  const launch = Effect.fn(function* (port: number) {
    const owned = yield* Scope.fork(scope, { _tag: "Sequential" })
    const starting = Effect.gen(function* () {
      const process = yield* ManagedProcess.start({
        name: "postgres",
        command: path.join(template.bin, "postgres"),
        args: [
          "-D",
          dataDir,
          ...Template.settings({
            ...Template.shared,
            autovacuum: "off",
            max_connections: String(options.maxConnections ?? 20),
            listen_addresses: "127.0.0.1",
            lc_messages: "C",
            port: String(port),
            unix_socket_directories: socketDir,
            ...(options.tls === undefined ? {} : { ssl: "on" }),
            ...options.settings
          })
        ],
        cwd: dataDir,
        env: { PATH: "/usr/bin:/bin", LC_ALL: "C" },
        unprivileged: true,
        // SIGKILL would leave the shared memory segment behind.
        stopSignal: "SIGQUIT"
      })
      current = { process, scope: owned }
      yield* process.awaitOutput(/database system is ready to accept (read-only )?connections/)
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

  const port = yield* (
    options.port === undefined ? FreePort.find : Effect.succeed(options.port)
  ).pipe(Effect.tap(launch), Effect.retry({ times: 4, while: isPortTaken }))

  const connect = (config: { user: string; password: string; database: string }) =>
    PostgresClient.connect({ ...config, host: socketDir, port })
  const asAdmin = (name: string) => connect({ ...Template.admin, database: name })
  const query: PostgresInstance["query"] = (sql, values) =>
    Effect.scoped(asAdmin(database).pipe(Effect.flatMap((client) => client.query(sql, values))))

  yield* Effect.scoped(
    Effect.gen(function* () {
      const client = yield* asAdmin("postgres")
      for (const statement of customise({ user, password, database })) {
        yield* client.query(statement)
      }
    })
  )

  const urlWith = (parts: UrlParts) =>
    urlOf({ scheme: "postgresql", user, password, host: "127.0.0.1", port, database, ...parts })

  const whenRunning = (use: (process: ManagedProcess.ManagedProcess) => Effect.Effect<unknown>) =>
    Effect.suspend(() =>
      current === undefined ? Effect.void : Effect.asVoid(use(current.process))
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

  const instance: PostgresInstance = {
    host: "127.0.0.1",
    port,
    user,
    password,
    database,
    socketDir,
    dataDir,
    version: yield* version(template.bin),
    url: urlWith({}),
    socketUrl: urlWith({ host: "", port: undefined, params: { host: socketDir, port: `${port}` } }),
    urlWith,
    query,
    session: (as = "app") =>
      as === "app" ? connect({ user, password, database }) : asAdmin(database),
    pause: whenRunning((process) => process.pause),
    resume: whenRunning((process) => process.resume),
    stop,
    start: Effect.suspend(() =>
      current?.process.isRunning() === true ? Effect.void : Effect.zipRight(stop, launch(port))
    ),
    log: Effect.sync(() => logs + (current?.process.log() ?? "")),
    pid: Effect.sync(() => current?.process.pid)
  }
  return instance
})

/** Two servers may find the same port free at the same time; the later one says so and ends. */
const isPortTaken = (error: ServerError): boolean =>
  /could not bind|Address already in use/.test(error.detail)

const copyCluster = async (
  run: TestRun.TestRun,
  template: string,
  folder: string
): Promise<void> => {
  // `cp -a` keeps the owner and the mode, which the server insists on, and clones where it can.
  await promisify(execFile)("cp", ["-a", template, path.join(folder, "data")])
  await mkdir(path.join(folder, "s"), { mode: 0o755 })
  if (run.user !== undefined) await chown(path.join(folder, "s"), run.user.uid, run.user.gid)
  await readFile(path.join(folder, "data", "PG_VERSION"))
}

/** Of the data folder, by the names that the server expects. */
const filesOf = ({ hba, standby, tls }: PostgresOptions): Readonly<Record<string, string>> => ({
  ...(standby === true ? { "standby.signal": "" } : {}),
  ...(tls === undefined ? {} : { "server.crt": tls.cert, "server.key": tls.key }),
  // The socket stays open to the administrator.
  ...(hba === undefined
    ? {}
    : { "pg_hba.conf": `${["local all all scram-sha-256", ...hba].join("\n")}\n` })
})

/** The server refuses a key that others may read. */
const write = async (run: TestRun.TestRun, file: string, text: string): Promise<void> => {
  await writeFile(file, text, { mode: 0o600 })
  if (run.user !== undefined) await chown(file, run.user.uid, run.user.gid)
}

/** What differs from the template. */
const customise = (wanted: {
  readonly user: string
  readonly password: string
  readonly database: string
}): ReadonlyArray<string> => {
  const { application } = Template
  const statements: Array<string> = []
  if (wanted.user !== application.user) {
    statements.push(Template.createRole(wanted.user, wanted.password))
  } else if (wanted.password !== application.password) {
    statements.push(Template.alterPassword(wanted.user, wanted.password))
  }
  if (wanted.database !== application.database || wanted.user !== application.user) {
    const name = wanted.database
    if (name === application.database) statements.push(`DROP DATABASE "${name}"`)
    statements.push(Template.createDatabase(name, wanted.user))
  }
  return statements
}

const version = (bin: string): Effect.Effect<string, ServerError> =>
  Effect.tryPromise({
    try: () => promisify(execFile)(path.join(bin, "postgres"), ["--version"]),
    catch: fromUnknown("postgres", "--version")
  }).pipe(Effect.map(({ stdout }) => /(\d+(?:\.\d+)+)/.exec(stdout)?.[1] ?? stdout.trim()))
