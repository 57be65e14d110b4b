/**
 * What pg_restore writes for a single transaction, without the statement that ends it: so that what
 * was restored can be judged while it can still be undone.
 *
 * @internal
 */
import { Chunk, Effect, Stream } from "effect"
import type { BackupError } from "../../BackupError.js"
import * as Failure from "./Failure.js"
import { literal } from "./Sql.js"
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

/**
 * The statements before the first that makes something, line by line: behind it, lines may be of rows.
 * What follows is passed on as it is.
 */
export const clean = <E, R>(
  text: Stream.Stream<Uint8Array, E, R>
): Stream.Stream<Uint8Array, E, R> => headed(text, unlessInherited, true)

/** Only the statements that drop what will be made anew. */
export const drops = <E, R>(
  text: Stream.Stream<Uint8Array, E, R>
): Stream.Stream<Uint8Array, E, R> => headed(text, unlessInherited, false)

/**
 * With the search path of the session's programs instead of none: constraints and generated columns call
 * functions for each row, and these were written for that. The statements themselves name every schema.
 */
export const withSearchPath = <E, R>(
  text: Stream.Stream<Uint8Array, E, R>
): Stream.Stream<Uint8Array, E, R> =>
  headed(
    text,
    (line) =>
      line.startsWith("SELECT pg_catalog.set_config('search_path', '', ")
        ? "RESET search_path;"
        : line,
    true
  )

const headed = <E, R>(
  text: Stream.Stream<Uint8Array, E, R>,
  ofHead: (line: string) => string,
  keepRest: boolean
): Stream.Stream<Uint8Array, E, R> =>
  Stream.suspend(() => {
    let isHead = true
    let rest: Uint8Array = new Uint8Array()
    let end = ""
    const next = (bytes: Uint8Array): Uint8Array => {
      if (!isHead) return keepRest ? bytes : new Uint8Array()
      const lines = Buffer.concat([rest, bytes]).toString("latin1").split("\n")
      const unended = lines.pop() ?? ""
      const first = lines.findIndex((line) => makes.test(line))
      isHead = first < 0
      const head = isHead ? lines : lines.slice(0, first)
      const told = [...head.map(ofHead), ""].join("\n")
      // Newer versions let psql take no command of its own until the key comes again.
      const key = head.find((line) => line.startsWith(restrict))?.slice(restrict.length)
      if (key !== undefined && !keepRest) end = `\n\\unrestrict ${key}\n`
      rest = Buffer.from(isHead ? unended : "", "latin1")
      const body = isHead ? "" : [...lines.slice(head.length), unended].join("\n")
      return Buffer.from(keepRest ? told + body : told, "latin1")
    }
    return Stream.concat(
      Stream.map(text, next),
      Stream.suspend(() => Stream.make(rest, Buffer.from(end, "latin1")))
    )
  })

const restrict = "\\restrict "

/** Every object is headed by a comment with its name, which nothing that is dropped is. */
const makes = /^(?:COPY|CREATE (?!OR REPLACE VIEW)|-- (?:Data for )?Name: )/

/**
 * The key or index of a partition that is one of the whole table goes with that, and not before it, as
 * pg_dump has it: the server refuses that. Only the server knows which one that is.
 */
const unlessInherited = (line: string): string => {
  const [, table, constraint] =
    /^ALTER TABLE IF EXISTS ONLY (.+) DROP CONSTRAINT IF EXISTS (.+);$/.exec(line) ?? []
  if (table !== undefined && constraint !== undefined) {
    return onlyIf(
      `ALTER TABLE ONLY ${table} DROP CONSTRAINT ${constraint}`,
      `pg_catalog.pg_constraint WHERE conrelid = pg_catalog.to_regclass(${literal(table)})
        AND conname = (pg_catalog.parse_ident(${literal(constraint)}))[1] AND coninhcount = 0`
    )
  }
  const [, index] = /^DROP INDEX IF EXISTS (.+);$/.exec(line) ?? []
  if (index === undefined) return line
  return onlyIf(
    `DROP INDEX ${index}`,
    `pg_catalog.pg_class c WHERE c.oid = pg_catalog.to_regclass(${literal(index)})
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid)`
  )
}

/** Not by a command of psql: newer versions take none from a dump. */
const onlyIf = (statement: string, found: string): string =>
  `DO ${literal(`BEGIN IF EXISTS (SELECT FROM ${found}) THEN EXECUTE ${literal(statement)}; END IF; END`)};`
