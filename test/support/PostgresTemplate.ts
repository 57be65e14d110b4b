/**
 * The cluster that every test server starts as a copy of: `initdb` takes most of a second, a copy
 * a tenth. Made once per run, by the first process that needs it.
 */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import { execFile } from "node:child_process"
import { chown, mkdir, readFile, rename, stat, writeFile } from "node:fs/promises"
import * as path from "node:path"
import { live } from "./live.js"
import { fromUnknown, ServerError } from "./ServerError.js"
import type { TestRun } from "./TestRun.js"

export const admin = { user: "postgres", password: "admin" } as const

/** What a test server's application is: no superuser, and a password that URLs must encode. */
export const application = {
  user: "holter",
  password: "p@ss%w/rd :x",
  database: "holter"
} as const

/** Settings that both the template and the servers run with: a standby must not have less. */
export const shared: Readonly<Record<string, string>> = {
  fsync: "off",
  full_page_writes: "off",
  wal_level: "replica",
  max_wal_senders: "2",
  max_worker_processes: "2",
  shared_buffers: "8MB",
  jit: "off"
}

/** The template's data folder, and where the binaries are. */
export const make = (
  run: TestRun,
  name = "postgres-template"
): Effect.Effect<{ readonly bin: string; readonly data: string }, ServerError> =>
  Effect.gen(function* () {
    const bin = run.binaries.postgres
    if (bin === undefined) {
      return yield* new ServerError({
        server: "postgres",
        operation: "find",
        detail: 'no initdb on this machine: use describeWithServices("postgres", ...)'
      })
    }
    const folder = path.join(run.root, name)
    const data = path.join(folder, "data")
    const done = path.join(folder, "done")
    const mine = yield* Effect.promise(() =>
      mkdir(folder).then(
        () => true,
        () => false
      )
    )
    if (mine) {
      const problem = yield* Effect.tryPromise({
        try: () => create(run, bin, folder),
        catch: fromUnknown("postgres", "initdb")
      }).pipe(
        Effect.as(""),
        Effect.catchAll((error) => Effect.succeed(error.message)),
        Effect.uninterruptible
      )
      yield* Effect.promise(async () => {
        await writeFile(`${done}.new`, problem)
        await rename(`${done}.new`, done)
      })
    }
    const outcome = yield* Effect.tryPromise({
      try: () => readFile(done, "utf8"),
      catch: fromUnknown("postgres", "wait for the template")
    }).pipe(Effect.retry(Schedule.spaced("10 millis").pipe(Schedule.upTo("60 seconds"))))
    if (outcome !== "") {
      return yield* new ServerError({ server: "postgres", operation: "initdb", detail: outcome })
    }
    return { bin, data }
  }).pipe(live)

const create = async (run: TestRun, bin: string, folder: string): Promise<void> => {
  const owner = run.user
  if (owner !== undefined) await chown(folder, owner.uid, owner.gid)
  const data = path.join(folder, "data")
  const passwords = path.join(folder, "password")
  await writeFile(passwords, admin.password, { mode: 0o644 })
  const execute = (name: string, args: ReadonlyArray<string>, input = "") =>
    new Promise<void>((resolve, reject) => {
      const child = execFile(
        path.join(bin, name),
        [...args],
        { cwd: folder, env: { PATH: process.env.PATH ?? "", LC_ALL: "C" }, ...(owner ?? {}) },
        (error, stdout, stderr) => (error === null ? resolve() : reject(new Error(stderr + stdout)))
      )
      child.stdin?.end(input)
    })
  await execute("initdb", [
    "-D",
    data,
    `--username=${admin.user}`,
    `--pwfile=${passwords}`,
    "--auth=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    "--no-sync",
    "--wal-segsize=1"
  ])
  // The single-user mode needs no port and no waiting. One line is one statement.
  await execute(
    "postgres",
    ["--single", "-D", data, ...settings({ ...shared, max_connections: "5" }), "postgres"],
    `${createRole(application.user, application.password)}\n` +
      `${createDatabase(application.database, application.user)}\n`
  )
  await stat(path.join(data, "PG_VERSION"))
}

export const createRole = (user: string, password: string): string =>
  `CREATE ROLE ${identifier(user)} LOGIN PASSWORD ${literal(password)}`

export const createDatabase = (database: string, owner: string): string =>
  `CREATE DATABASE ${identifier(database)} OWNER ${identifier(owner)}`

export const alterPassword = (user: string, password: string): string =>
  `ALTER ROLE ${identifier(user)} PASSWORD ${literal(password)}`

export const settings = (values: Readonly<Record<string, string>>): ReadonlyArray<string> =>
  Object.entries(values).flatMap(([name, value]) => ["-c", `${name}=${value}`])

const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`
