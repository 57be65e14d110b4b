/**
 * A strategy whose database is a JSON file: enough to tell whether content was lost, and as quick
 * as a file. A file that does not end with its own end mark is damaged.
 */
import { DateTime, Effect } from "effect"
import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { BackupError, type Reason } from "../../../src/Backup/BackupError.js"
import type { Strategy } from "../../../src/Backup/BackupStrategy/Strategy.js"
import type * as Manifest from "../../../src/Backup/Manifest.js"

/** The rows of each table. */
export type Content = Readonly<Record<string, ReadonlyArray<string>>>

const end = "\nend\n"

export const textOf = (content: Content): string => `${JSON.stringify(content)}${end}`

export const contentOf = (text: string): Content | undefined =>
  text.endsWith(end) ? (JSON.parse(text.slice(0, -end.length)) as Content) : undefined

export const write = (file: string, content: Content) =>
  Effect.promise(() => fs.writeFile(file, textOf(content)))

export const read = (file: string) =>
  Effect.promise(async () => contentOf(await fs.readFile(file, "utf8")))

export interface Options {
  readonly file: string
  readonly engine?: string
  readonly estimate?: number
  /** In the place of the file's own directory and name. */
  readonly database?: Partial<Manifest.Database>
  /** What it is by itself; by its place where this is left out, unknown where it is null. */
  readonly identity?: Manifest.Identity | null
  /** The backup as a directory of parts. */
  readonly directory?: boolean
}

export const make = (options: Options): Strategy => {
  const { file, engine = "scripted" } = options
  const database: Manifest.Database = {
    engine,
    name: path.basename(file),
    location: path.dirname(file),
    ...options.database
  }
  const asidePrefix = `${path.basename(file)}_pre_restore_`

  const parse = (text: string, subject: string) => {
    const content = contentOf(text)
    return content === undefined
      ? fail("Corrupt", subject, "a whole file", "one that is cut off")
      : Effect.succeed(content)
  }

  const readPayload = (payload: {
    readonly path: string
    readonly dump: Manifest.Dump | undefined
  }) =>
    Effect.gen(function* () {
      const whole = path.join(payload.path, "content")
      const isDirectory = (yield* call(payload.path, () => fs.lstat(payload.path))).isDirectory()
      const text = yield* call(payload.path, () =>
        fs.readFile(isDirectory ? whole : payload.path, "utf8")
      )
      const expected = payload.dump?.parts?.[0]?.sha256 ?? payload.dump?.sha256
      if (expected !== undefined && sha256(text) !== expected) {
        return yield* fail("Corrupt", payload.path, expected, sha256(text))
      }
      return yield* parse(text, payload.path)
    })

  return {
    engine,
    extension: () => (options.directory === true ? "dump" : "db"),
    database: Effect.succeed(database),
    ...(options.identity === undefined
      ? {}
      : { identity: Effect.succeed(options.identity ?? undefined) }),
    estimate: Effect.succeed(options.estimate ?? 1000),
    present: call(file, () =>
      fs.readFile(file, "utf8").catch((cause: NodeJS.ErrnoException) => {
        if (cause.code === "ENOENT") return undefined
        throw cause
      })
    ).pipe(
      Effect.map((text) => {
        if (text === undefined) return { _tag: "Absent" as const }
        return contentOf(text) === undefined
          ? { _tag: "Damaged" as const, found: "a file that is cut off" }
          : { _tag: "Readable" as const, bytes: text.length }
      })
    ),
    dump: ({ onProgress, path: target }) =>
      Effect.gen(function* () {
        const text = yield* call(file, () => fs.readFile(file, "utf8"))
        const content = yield* parse(text, file)
        const part = { path: "content", bytes: text.length, sha256: sha256(text) }
        if (options.directory === true) yield* call(target, () => fs.mkdir(target, { mode: 0o700 }))
        const into = options.directory === true ? path.join(target, "content") : target
        yield* call(target, () => fs.writeFile(into, text, { flag: "wx", mode: 0o600 }))
        yield* onProgress({ stage: "dump", bytes: text.length, total: text.length })
        return {
          database,
          strategy: "scripted",
          engineVersion: "1",
          compression: "none",
          bytes: text.length,
          contentBytes: text.length,
          sha256: options.directory === true ? sha256(`${part.sha256}  content\n`) : sha256(text),
          ...(options.directory === true ? { parts: [part] } : {}),
          tables: tablesOf(content),
          warnings: []
        }
      }),
    verify: (payload) => Effect.as(readPayload(payload), { warnings: [] }),
    drill: (payload) =>
      Effect.map(readPayload(payload), (content) => ({ tables: tablesOf(content), warnings: [] })),
    restore: (payload, { startedAt }) =>
      Effect.gen(function* () {
        const content = yield* readPayload(payload)
        const aside = `${file}_pre_restore_${DateTime.formatIso(startedAt)}`
        const next = `${file}.next`
        yield* call(file, () => fs.copyFile(file, aside).catch(() => undefined))
        yield* call(next, () => fs.writeFile(next, textOf(content)))
        yield* call(file, () => fs.rename(next, file))
        return { method: "renamed", setAside: aside, tables: tablesOf(content), warnings: [] }
      }),
    setAside: Effect.map(
      call(file, () => fs.readdir(path.dirname(file))),
      (names) =>
        names
          .filter((name) => name.startsWith(asidePrefix))
          .map((name) => ({
            name,
            at: DateTime.unsafeMake(name.slice(asidePrefix.length)),
            bytes: undefined
          }))
          .sort((one, other) => other.at.epochMillis - one.at.epochMillis)
    ),
    dropSetAside: (name) => call(name, () => fs.rm(path.join(path.dirname(file), name)))
  }
}

const tablesOf = (content: Content): ReadonlyArray<Manifest.Table> =>
  Object.entries(content).map(([name, rows]) => ({ name, rows: rows.length }))

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

const fail = (reason: Reason, subject: string, expected: string, found: string) =>
  Effect.fail(new BackupError({ reason, subject, expected, found }))

const call = <A>(subject: string, run: () => Promise<A>) =>
  Effect.tryPromise({
    try: run,
    catch: (cause) => {
      const code = (cause as NodeJS.ErrnoException).code
      const reason = code === "ENOSPC" ? "DiskFull" : code === "ENOENT" ? "Missing" : "Unreadable"
      return new BackupError({ reason, subject, expected: "a file", found: String(cause), cause })
    }
  })
