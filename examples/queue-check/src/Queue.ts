/**
 * A check of another package: how many jobs wait in a spool directory.
 */
import { FileSystem } from "@effect/platform"
import { NodeFileSystem } from "@effect/platform-node"
import { Effect, Schema } from "effect"
import { Check, ConfigField, Outcome } from "holter"

export class QueueError extends Schema.TaggedError<QueueError>("@acme/queue/QueueError")(
  "QueueError",
  {
    reason: Schema.Literal("Unreadable", "Overfull"),
    directory: Schema.String,
    waiting: Schema.optional(Schema.Number),
    cause: Schema.optional(Schema.Defect)
  }
) {
  override get message(): string {
    return this.reason === "Unreadable"
      ? `The queue in ${this.directory} cannot be read. Does the directory exist?`
      : `${this.waiting} jobs wait in ${this.directory}. Is the worker running?`
  }

  get isRetryable(): boolean {
    return false
  }

  get details(): Outcome.Details {
    return this.waiting === undefined ? {} : { waiting: this.waiting }
  }
}

export const Queue = Check.make("queue", {
  description: "How many jobs wait in a spool directory",
  label: "job queue",
  config: {
    directory: Schema.NonEmptyString.annotations({ description: "the spool directory" }),
    busy: ConfigField.withDefault(ConfigField.count, 100).annotations({
      description: "degraded from this many waiting jobs"
    }),
    overfull: ConfigField.withDefault(ConfigField.count, 1000).annotations({
      description: "unhealthy from this many waiting jobs"
    })
  },
  error: QueueError,
  timeout: "5 seconds",
  probe: ({ busy, directory, overfull }) =>
    Effect.gen(function* () {
      const fs = yield* FileSystem.FileSystem
      const jobs = yield* Effect.mapError(
        fs.readDirectory(directory),
        (cause) => new QueueError({ reason: "Unreadable", directory, cause })
      )
      const waiting = jobs.length
      if (waiting >= overfull) {
        return yield* new QueueError({ reason: "Overfull", directory, waiting })
      }
      return waiting >= busy
        ? Outcome.degraded(`${waiting} jobs wait`, { details: { waiting } })
        : Outcome.healthy(`${waiting} jobs wait`, { details: { waiting } })
    }),
  // For the command line: what the probe needs. A program gives its own FileSystem to `layer`.
  services: () => NodeFileSystem.layer
})
