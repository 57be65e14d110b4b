/**
 * One run of a program, in a process group of its own, so that what it started ends with it when its
 * time is over.
 *
 * @internal
 */
import { Data, Deferred, Effect, Predicate, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"

export interface Options {
  readonly command: readonly [string, ...ReadonlyArray<string>]
  readonly env: Readonly<Record<string, string>>
  readonly input: string
}

export interface Ended {
  /** None where a signal ended it. */
  readonly code: number | null
  readonly signal: string | null
  /** The last part of what it wrote. */
  readonly output: string
}

/** It could not be started. */
export class NotStarted extends Data.TaggedError("NotStarted")<{ readonly code: string }> {}

/** How long a program that was asked to end may take, before it is killed. */
const patience = "2 seconds"

/**
 * How many bytes of what it writes are kept. Far more than is shown: what was cut off at the beginning
 * may be the head of a secret, whose rest would not be recognised.
 */
const longestOutput = 16_384

/** Interrupted, it asks the group to end, and kills what is left. */
export const run = (options: Options): Effect.Effect<Ended, NotStarted> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { closed, exited, output } = yield* start(options)
      const { code, signal } = yield* Deferred.await(exited)
      // What it started may hold its output open for as long as it likes.
      if (code !== 0) yield* Effect.timeoutOption(Deferred.await(closed), "1 second")
      return { code, signal, output: output() }
    })
  )

interface Running {
  readonly child: ChildProcess
  readonly exited: Deferred.Deferred<Pick<Ended, "code" | "signal">>
  readonly closed: Deferred.Deferred<void>
  readonly output: () => string
}

const start = (options: Options): Effect.Effect<Running, NotStarted, Scope.Scope> =>
  Effect.acquireRelease(launch(options), end)

const launch = ({
  command: [program, ...args],
  env,
  input
}: Options): Effect.Effect<Running, NotStarted> =>
  Effect.gen(function* () {
    const exited = yield* Deferred.make<Pick<Ended, "code" | "signal">>()
    const closed = yield* Deferred.make<void>()
    let kept = Buffer.alloc(0)
    const keep = (chunk: Buffer) => {
      kept = Buffer.concat([kept, chunk]).subarray(-longestOutput)
    }
    const child = yield* Effect.async<ChildProcess, NotStarted>((resume) => {
      const started = spawn(program, args, { detached: true, env: { ...inherited(), ...env } })
      started.stdout.on("data", keep)
      started.stderr.on("data", keep)
      // A program that does not read it is none that failed.
      started.stdin.on("error", () => undefined)
      started.once("exit", (code, signal) => {
        Deferred.unsafeDone(exited, Effect.succeed({ code, signal }))
      })
      started.once("close", () => {
        Deferred.unsafeDone(closed, Effect.void)
      })
      started.once("error", (error) => {
        const code = Predicate.hasProperty(error, "code") ? String(error.code) : error.name
        resume(new NotStarted({ code }))
      })
      started.once("spawn", () => {
        started.stdin.end(input)
        resume(Effect.succeed(started))
      })
    })
    return { child, exited, closed, output: () => kept.toString("utf8") }
  })

const end = ({ child, exited }: Running): Effect.Effect<void> =>
  Effect.gen(function* () {
    if (!(yield* Deferred.isDone(exited))) {
      yield* signal(child, "SIGTERM")
      yield* Effect.timeoutOption(Effect.interruptible(Deferred.await(exited)), patience)
      // Its own end is not that of those that it started.
      yield* signal(child, "SIGKILL")
    }
    yield* Effect.sync(() => {
      child.stdout?.destroy()
      child.stderr?.destroy()
      child.stdin?.destroy()
      child.unref()
    })
  })

/** To the whole group; it may be gone. */
const signal = (child: ChildProcess, name: NodeJS.Signals): Effect.Effect<void> =>
  Effect.ignore(
    Effect.try(() => (child.pid === undefined ? false : process.kill(-child.pid, name)))
  )

/**
 * What programs need to find others and to speak the right language. Not the whole environment: it
 * holds the secrets of every service.
 */
const names = ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LC_ALL"]

const inherited = (): Readonly<Record<string, string>> => {
  // eslint-disable-next-line no-restricted-syntax -- what the process itself was given, whatever configures Holter
  const all = process.env
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = all[name]
      return value === undefined ? [] : [[name, value]]
    })
  )
}
