/** A strategy as another package has it: a directory, as a tar file. Its only imports are public. */
import { DateTime, Effect, Redacted } from "effect"
import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { promisify } from "node:util"
import { BackupStrategy } from "../../src/index.js"

const run = promisify(execFile)

const failing =
  (reason: BackupStrategy.BackupError["reason"], subject: string) =>
  <A>(work: () => Promise<A>): Effect.Effect<A, BackupStrategy.BackupError> =>
    Effect.tryPromise({
      try: work,
      catch: (cause) =>
        new BackupStrategy.BackupError({
          ...{ reason, subject, expected: "tar to do it", found: String(cause), cause }
        })
    })

const sha256 = async (file: string) =>
  createHash("sha256")
    .update(await fs.readFile(file))
    .digest("hex")

/** Each file of it is a table, each of its lines a row. */
const tablesOf = async (directory: string): Promise<ReadonlyArray<BackupStrategy.Table>> =>
  Promise.all(
    (await fs.readdir(directory)).sort().map(async (name) => {
      const text = await fs.readFile(path.join(directory, name), "utf8")
      return { name, rows: text.split("\n").length - 1 }
    })
  )

const make = (directory: string): BackupStrategy.Strategy => {
  const database = {
    engine: "tar",
    name: path.basename(directory),
    location: path.dirname(directory)
  }
  const verified = ({ dump, path: file }: BackupStrategy.Payload) =>
    failing(
      "Corrupt",
      file
    )(async () => {
      if (dump !== undefined && (await sha256(file)) !== dump.sha256) throw new Error("another sum")
      await run("tar", ["-tf", file])
    })
  const unpacked = (payload: BackupStrategy.Payload) =>
    Effect.zipRight(
      verified(payload),
      failing(
        "StoreFailed",
        directory
      )(async () => {
        const beside = await fs.mkdtemp(`${directory}.new-`)
        await run("tar", ["-xf", payload.path, "-C", beside])
        return beside
      })
    )
  return {
    engine: "tar",
    extension: () => "tar",
    database: Effect.succeed(database),
    present: Effect.promise(() =>
      fs.stat(directory).then(
        ({ size }) => ({ _tag: "Readable" as const, bytes: size }),
        () => ({ _tag: "Absent" as const })
      )
    ),
    estimate: Effect.succeed(0),
    dump: ({ path: file }) =>
      failing(
        "StoreFailed",
        file
      )(async () => {
        await fs.writeFile(file, "", { flag: "wx", mode: 0o600 })
        await run("tar", ["-cf", file, "-C", directory, "."])
        const { size } = await fs.stat(file)
        return {
          ...{ database, strategy: "tar", engineVersion: "1", compression: "none" as const },
          ...{ bytes: size, contentBytes: size, sha256: await sha256(file) },
          ...{ tables: await tablesOf(directory), warnings: [] }
        }
      }),
    verify: (payload) => Effect.as(verified(payload), { warnings: [] }),
    drill: (payload) =>
      Effect.flatMap(unpacked(payload), (beside) =>
        Effect.promise(async () => {
          const tables = await tablesOf(beside)
          await fs.rm(beside, { recursive: true })
          return { tables, warnings: [] }
        })
      ),
    restore: (payload, { onOutcome = () => Effect.void, startedAt }) =>
      Effect.gen(function* () {
        const beside = yield* unpacked(payload)
        const aside = `${directory}_pre_restore_${startedAt.epochMillis}`
        yield* onOutcome({ _tag: "Unknown" })
        yield* failing(
          "StoreFailed",
          directory
        )(async () => {
          await fs.rename(directory, aside)
          await fs.rename(beside, directory)
        })
        yield* onOutcome({ _tag: "Replaced", setAside: aside })
        const tables = yield* Effect.promise(() => tablesOf(directory))
        return { method: "unpacked, then renamed", setAside: aside, tables, warnings: [] }
      }),
    setAside: Effect.promise(async () =>
      (await fs.readdir(path.dirname(directory)))
        .filter((name) => name.startsWith(`${path.basename(directory)}_pre_restore_`))
        .map((name) => ({
          name,
          at: DateTime.unsafeMake(Number(name.split("_").at(-1))),
          bytes: undefined
        }))
    ),
    dropSetAside: (name) =>
      Effect.promise(() => fs.rm(path.join(path.dirname(directory), name), { recursive: true }))
  }
}

export const Tar = BackupStrategy.define("tar", {
  description: "A directory, as a tar file",
  make: (url) => Effect.succeed(make(new URL(Redacted.value(url)).pathname))
})
