/**
 * What a dump is, told from its first bytes, and what it says of the database that it is of.
 *
 * @internal
 */
import { Effect } from "effect"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { BackupError } from "../../BackupError.js"
import type { Running } from "./ToolRun.js"
import * as ToolRun from "./ToolRun.js"
import type { Target } from "./Target.js"
import type { Tool } from "./Tools.js"

export type Format = "custom" | "directory" | "tar"

/** Refuses what pg_restore cannot read, with the word for what it is. */
export const format = (file: string): Effect.Effect<Format, BackupError> =>
  Effect.tryPromise({
    try: async () => {
      if (!(await fs.stat(file)).isDirectory()) return await head(file)
      return await head(path.join(file, "toc.dat")).then(
        (bytes) => `directory:${bytes}`,
        () => "directory:nothing"
      )
    },
    catch: (cause) =>
      new BackupError({
        reason: "NotFound",
        subject: file,
        expected: "a dump that can be read",
        found: "none",
        cause
      })
  }).pipe(
    Effect.flatMap((bytes) => {
      if (bytes === "") return refused(file, "Corrupt", "an empty file")
      const known = magics.find(([start]) => bytes.startsWith(start))
      if (known === undefined) return refused(file, "Corrupt", "something else")
      const [, is, advice] = known
      return is === "custom" || is === "directory" || is === "tar"
        ? Effect.succeed(is)
        : refused(file, "WrongEngine", is, advice)
    })
  )

const magics: ReadonlyArray<readonly [start: string, is: string, advice?: string]> = [
  ["PGDMP", "custom"],
  ["directory:PGDMP", "directory"],
  ["toc.dat\0", "tar"],
  ["SQLite format 3\0", "a SQLite database"],
  ["\u001f\u008b", "a gzip file", "Is it a backup of a SQLite database?"],
  ["\u0028\u00b5\u002f\u00fd", "a zstd file", "Is it a backup of a SQLite database?"],
  [
    "--\n-- PostgreSQL database dump",
    "SQL text",
    "Restore it with psql --single-transaction --set ON_ERROR_STOP=1 --file"
  ]
]

const refused = (
  subject: string,
  reason: "Corrupt" | "WrongEngine",
  found: string,
  advice = "Use another backup"
) =>
  new BackupError({
    reason,
    subject,
    expected: "a dump of pg_dump in its custom, directory or tar format",
    found,
    advice
  })

const head = async (file: string): Promise<string> => {
  const handle = await fs.open(file, "r")
  const { buffer, bytesRead } = await handle
    .read(Buffer.alloc(64), 0, 64, 0)
    .finally(() => handle.close())
  return buffer.toString("latin1", 0, bytesRead)
}

/**
 * Encoding and locale of the database that was dumped, as they stand in CREATE DATABASE. Read word
 * by word and written anew: a file is no statement to be run.
 */
export const createOptions = (
  target: Target,
  tool: Tool,
  file: string
): Effect.Effect<string, BackupError, Running> =>
  Effect.map(
    ToolRun.run(target, tool, {
      args: ["--create", "--schema-only", "--file=-", file],
      subject: file
    }),
    ({ stdout }) => parseCreate(stdout)
  )

export const parseCreate = (sql: string): string => {
  const line = /^CREATE DATABASE .* WITH TEMPLATE = template0 (.*);$/m.exec(sql)?.[1] ?? ""
  const words = line.matchAll(/([A-Z_]+) = ('(?:[^'\\]|'')*'|[a-z]+)(?= |$)/g)
  return [...words]
    .flatMap(([, name = "", value = ""]) => (createWords.has(name) ? [`${name} ${value}`] : []))
    .join(" ")
}

/** Those of them that are the same on every machine. */
export const withoutLocale = (options: string): string =>
  /ENCODING '[^']*'/.exec(options)?.[0] ?? ""

const createWords: ReadonlySet<string> = new Set([
  "BUILTIN_LOCALE",
  "ENCODING",
  "ICU_LOCALE",
  "ICU_RULES",
  "LC_COLLATE",
  "LC_CTYPE",
  "LOCALE",
  "LOCALE_PROVIDER"
])
