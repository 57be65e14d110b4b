/**
 * The verdict of the last `holter check --cron`, kept in a file, so that a problem is told once and
 * not every five minutes, and its end is told too.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Effect, Option, Schema } from "effect"
import type { StatusSummary } from "../Monitor/StatusSummary.js"
import { names as configFiles } from "./ConfigFile.js"
import { Output } from "./Output.js"
import * as Verdict from "./Verdict.js"

/** What a verdict is about. Two lines of a crontab that ask for different things share none. */
export interface Question {
  /** Where the configuration came from: the path of a file, or `environment`. */
  readonly source: string
  /** The services that were asked for; nothing where all were. */
  readonly only: Option.Option<ReadonlyArray<string>>
}

interface Telling<E, R> {
  readonly question: Question
  readonly summary: StatusSummary
  /** Send whether or not it is news. */
  readonly always: boolean
  /** Takes the names of services that are no longer checked, and of those that came back. */
  readonly send: (
    lost: ReadonlyArray<string>,
    recovered: ReadonlyArray<string>
  ) => Effect.Effect<void, E, R>
}

/**
 * Sends when the verdict is news. It is kept only after it was sent: what failed to arrive is tried
 * again by the next run.
 */
export const tell = <E, R>({ always, question, send, summary }: Telling<E, R>) =>
  Effect.gen(function* () {
    const file = yield* fileOf(question)
    const before = yield* read(file)
    const now = Verdict.fromSummary(summary)
    if (always || Verdict.isNews(before, now)) {
      yield* send(Verdict.lost(before, now), Verdict.recovered(before, now))
    }
    if (!Option.exists(before, (last) => Verdict.same(last, now))) yield* write(file, now)
  })

const folder = "data"

/** The plain name is for all services of the usual configuration. */
const fileOf = ({ only, source }: Question) =>
  Effect.gen(function* () {
    const path = yield* Path
    const usual = source === "environment" || source === path.resolve(configFiles[0])
    if (usual && Option.isNone(only)) return path.join(folder, "last-verdict.json")
    const { createHash } = yield* Effect.promise(() => import("node:crypto"))
    const asked = [
      usual ? null : source,
      ...Option.match(only, { onNone: () => [], onSome: (all) => [...new Set(all)].sort() })
    ]
    const key = createHash("sha256").update(JSON.stringify(asked)).digest("hex").slice(0, 12)
    return path.join(folder, `last-verdict.${key}.json`)
  })

const Json = Schema.parseJson(Verdict.Verdict)

/** A file that is missing or damaged counts as none: then the worst is one message too many. */
const read = (file: string) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    return yield* Schema.decode(Json)(yield* fs.readFileString(file))
  }).pipe(Effect.option)

const write = (file: string, verdict: Verdict.Verdict) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    yield* fs.makeDirectory(folder, { recursive: true })
    const temporary = yield* fs.makeTempFileScoped({ directory: folder })
    const text = yield* Schema.encode(Json)(verdict)
    yield* fs.writeFileString(temporary, `${text}\n`)
    yield* fs.rename(temporary, file)
  }).pipe(
    Effect.scoped,
    Effect.catchAll((error) =>
      Effect.flatMap(Output, ({ note }) =>
        note(
          `The verdict could not be kept in ${file}; the next run may repeat this notification: ${error.message}`
        )
      )
    )
  )
