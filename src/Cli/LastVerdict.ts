/**
 * The verdict of the last `holter check --cron`, kept in a file, so that a problem is told once and
 * not every five minutes, and its end is told too.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Effect, Option, Schema } from "effect"
import { Status } from "../Check/CheckResult.js"
import type { StatusSummary } from "../Monitor/StatusSummary.js"
import { Output } from "./Output.js"

const Verdict = Schema.parseJson(
  Schema.Struct({
    overall_status: Status,
    services: Schema.Record({ key: Schema.String, value: Status })
  })
)

type Verdict = typeof Verdict.Type

const location = "data/last-verdict.json"

/**
 * Sends when the verdict is another than last time; the first time, when something is wrong. The
 * verdict is kept only after it was sent: what failed to arrive is tried again by the next run.
 */
export const onChange = <E, R>(summary: StatusSummary, send: Effect.Effect<void, E, R>) =>
  Effect.gen(function* () {
    const now = verdictOf(summary)
    const before = yield* read
    const changed = Option.match(before, {
      onNone: () => now.overall_status !== "healthy",
      onSome: (last) => !same(last, now)
    })
    if (changed) yield* send
    if (changed || Option.isNone(before)) yield* write(now)
  })

const verdictOf = (summary: StatusSummary): Verdict => ({
  overall_status: summary.overall_status,
  services: Object.fromEntries(
    Object.entries(summary.services).map(([name, service]) => [name, service.status])
  )
})

const same = Schema.equivalence(Schema.typeSchema(Verdict))

/** A file that is missing or damaged counts as none: then the worst is one message too many. */
const read = Effect.gen(function* () {
  const fs = yield* FileSystem
  const text = yield* fs.readFileString(location)
  return yield* Schema.decode(Verdict)(text)
}).pipe(Effect.option)

const write = (verdict: Verdict) =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const path = yield* Path
    yield* fs.makeDirectory(path.dirname(location), { recursive: true })
    const temporary = yield* fs.makeTempFileScoped({ directory: path.dirname(location) })
    const text = yield* Schema.encode(Verdict)(verdict)
    yield* fs.writeFileString(temporary, `${text}\n`)
    yield* fs.rename(temporary, location)
  }).pipe(
    Effect.scoped,
    Effect.catchAll((error) =>
      Effect.flatMap(Output, ({ note }) =>
        note(
          `The verdict could not be kept in ${location}; the next run may repeat this notification: ${error.message}`
        )
      )
    )
  )
