/**
 * One session of psql, which is told what to do step by step: so that what pg_restore writes becomes
 * part of a transaction that begins before it and is judged before its end.
 *
 * @internal
 */
import { Deferred, Effect, Queue, Schema, type Scope, Stream } from "effect"
import { randomBytes } from "node:crypto"
import type { BackupError } from "../../BackupError.js"
import * as Failure from "./Failure.js"
import type { Reader } from "./Session.js"
import type { Target } from "./Target.js"
import type { Running } from "./ToolRun.js"
import * as ToolRun from "./ToolRun.js"
import type { Tool } from "./Tools.js"
import * as Unmade from "./Unmade.js"

export interface Psql extends Reader {
  /** Runs a script, however long, as part of the session. */
  readonly feed: <R>(
    script: Stream.Stream<Uint8Array, BackupError, R>
  ) => Effect.Effect<void, BackupError, R>
  /** The same in a transaction, without the statements that fail. No rows may be in the script. */
  readonly tolerate: <R>(
    script: Stream.Stream<Uint8Array, BackupError, R>
  ) => Effect.Effect<ReadonlyArray<Unmade.Unmade>, BackupError, R>
}

/** It ends with the first error, and with its scope: what is not committed by then is undone. */
export const open = (
  target: Target,
  tool: Tool,
  options: { readonly database: string; readonly application: string }
): Effect.Effect<Psql, BackupError, Running | Scope.Scope> =>
  Effect.gen(function* () {
    const input = yield* Effect.acquireRelease(Queue.bounded<Uint8Array>(8), Queue.shutdown)
    const lines = yield* Queue.unbounded<string>()
    const errors = yield* Queue.unbounded<string>()
    const child = yield* ToolRun.launch(target, tool, {
      ...options,
      args: ["--no-psqlrc", "--quiet", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1"],
      input: Stream.fromQueue(input)
    })
    const ended = yield* endOf(target, tool, child, lines, errors)
    // Whichever comes second is given up, also where the whole is not to be interrupted.
    const orEnd = <A, E, R>(work: Effect.Effect<A, E, R>) =>
      Effect.raceFirst(Effect.interruptible(work), Effect.interruptible(Deferred.await(ended)))
    const send = (text: string) => Queue.offer(input, new TextEncoder().encode(text))
    const ask = (text: string) =>
      Effect.gen(function* () {
        const mark = yield* Effect.sync(() => randomBytes(8).toString("hex"))
        // By a query: what \\echo writes stays in a buffer where the output is a pipe.
        yield* send(`${text}\nSELECT '${mark}';\n`)
        return yield* answer(lines, mark)
      }).pipe(orEnd)
    // What it prints is of no interest, and may be a line for each of many large objects.
    const feed = <R>(script: Stream.Stream<Uint8Array, BackupError, R>) =>
      send("\\o /dev/null\n").pipe(
        Effect.zipRight(Stream.runForEach(script, (bytes) => Queue.offer(input, bytes))),
        orEnd,
        Effect.zipRight(ask("\n\\o")),
        Effect.asVoid
      )
    // All errors until now: the two streams of psql are not in step, so that a notice marks the place.
    const said = Effect.gen(function* () {
      const mark = yield* Effect.sync(() => randomBytes(8).toString("hex"))
      yield* send(
        `SET client_min_messages TO notice;\nDO $$BEGIN RAISE NOTICE '${mark}'; END$$;\nSET client_min_messages TO error;\n`
      )
      return yield* answer(errors, mark)
    }).pipe(orEnd)
    return {
      execute: (sql) => Effect.asVoid(ask(`${sql};`)),
      rows: (row, sql) =>
        Effect.flatMap(ask(`SELECT pg_catalog.row_to_json(q) FROM (${sql}) q;`), (found) =>
          // The statement says what its columns are: another answer is a fault of ours.
          Effect.orDie(Effect.forEach(found, (line) => Schema.decode(Schema.parseJson(row))(line)))
        ),
      feed,
      tolerate: (script) =>
        Effect.gen(function* () {
          yield* said
          yield* send(lenient)
          yield* feed(script)
          yield* send(strict)
          return Unmade.read(target.secrets.scrub((yield* said).join("\n")))
        })
    } satisfies Psql
  })

const lenient =
  "\\set ON_ERROR_STOP off\n\\set ON_ERROR_ROLLBACK on\n\\set ECHO errors\n\\set VERBOSITY verbose\n"
const strict =
  "\\set VERBOSITY default\n\\set ECHO none\n\\set ON_ERROR_ROLLBACK off\n\\set ON_ERROR_STOP on\n"

const answer = (lines: Queue.Dequeue<string>, mark: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function* () {
    const found: Array<string> = []
    for (;;) {
      const line = yield* Queue.take(lines)
      if (line.includes(mark)) return found
      found.push(line)
    }
  })

/** Why there will be no more answers. It never ends by itself: its input is open. */
const endOf = (
  target: Target,
  tool: Tool,
  child: Effect.Effect.Success<ReturnType<typeof ToolRun.launch>>,
  lines: Queue.Enqueue<string>,
  errors: Queue.Enqueue<string>
): Effect.Effect<Deferred.Deferred<never, BackupError>, never, Scope.Scope> =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<never, BackupError>()
    const output = child.stdout.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.runForEach((line) => Queue.offer(lines, line)),
      Effect.ignore
    )
    const told = child.stderr.pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.tap((line) => Queue.offer(errors, line)),
      Stream.map((line) => new TextEncoder().encode(`${line}\n`)),
      ToolRun.textOf
    )
    yield* Effect.all([output, told], { concurrency: 2 }).pipe(
      Effect.flatMap(([, stderr]) => ToolRun.succeeded(target, tool, child, stderr)),
      Effect.zipRight(
        Failure.make(target, {
          reason: "ToolFailed",
          expected: "psql to wait for more",
          found: "its end"
        })
      ),
      Effect.catchAll((error) => Deferred.fail(ended, error)),
      Effect.forkScoped
    )
    return ended
  })
