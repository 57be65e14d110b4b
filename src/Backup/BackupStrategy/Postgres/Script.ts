/**
 * What pg_restore writes for a single transaction, without the statement that ends it: so that what
 * was restored can be judged while it can still be undone.
 *
 * @internal
 */
import { Chunk, Effect, Stream } from "effect"
import type { BackupError } from "../../BackupError.js"
import * as Failure from "./Failure.js"
import type { Target } from "./Target.js"
import type { Running } from "./ToolRun.js"
import * as ToolRun from "./ToolRun.js"
import type { Tool } from "./Tools.js"

/** Fails where pg_restore does: the end of the text is given out only after its good end. */
export const open = (
  target: Target,
  tool: Tool,
  args: ReadonlyArray<string>,
  file: string
): Stream.Stream<Uint8Array, BackupError, Running> =>
  Stream.unwrapScoped(
    Effect.gen(function* () {
      const child = yield* ToolRun.launch(target, tool, {
        args: ["--single-transaction", "--file=-", ...args, file]
      })
      const stderr = yield* Effect.forkScoped(ToolRun.textOf(child.stderr))
      let held: Uint8Array = new Uint8Array()
      const body = child.stdout.pipe(
        Stream.catchAll(() => Stream.empty),
        Stream.map((bytes) => {
          const joined = Buffer.concat([held, bytes])
          const end = Math.max(0, joined.length - tailBytes)
          held = joined.subarray(end)
          return joined.subarray(0, end)
        })
      )
      const end = Effect.gen(function* () {
        yield* ToolRun.succeeded(
          target,
          tool,
          child,
          yield* stderr.await.pipe(Effect.flatten),
          file
        )
        const tail = withoutCommit(Buffer.from(held).toString("latin1"))
        return tail === undefined
          ? yield* Failure.make(target, {
              reason: "ToolFailed",
              expected: "pg_restore to write one transaction",
              found: `another end of it, by ${tool.said}`,
              advice: "Grant CREATEDB, so that the backup is restored into a new database"
            })
          : Chunk.of<Uint8Array>(Buffer.from(tail, "latin1"))
      })
      return Stream.concat(body, Stream.fromIterableEffect(end))
    })
  )

/** Its last statement: behind it come comments and, of newer versions, a word to psql. */
export const withoutCommit = (tail: string): string | undefined => {
  const [, before, after] = /^([^]*\n)COMMIT;\n((?:--.*\n|\\unrestrict .*\n|\n)*)$/.exec(tail) ?? []
  return before === undefined || after === undefined ? undefined : before + after
}

const tailBytes = 2048
