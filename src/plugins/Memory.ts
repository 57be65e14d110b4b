/**
 * The memory of this process: V8's heap against its limit, and the resident set against what the
 * control group, or the machine, allows. At the first limit V8 ends the process, at the second the
 * kernel does.
 */
import { Effect, Schema } from "effect"
import * as Check from "../Check/Check.js"
import * as ConfigField from "../Plugin/ConfigField.js"
import * as Outcome from "../Check/Outcome.js"
import * as ProcessMemory from "./Memory/ProcessMemory.js"
import { Details } from "./shared/ErrorFields.js"
import * as Figures from "./shared/Figures.js"
import * as Format from "../Common/Format.js"

export class MemoryError extends Schema.TaggedError<MemoryError>(
  "holter/plugins/Memory/MemoryError"
)("MemoryError", {
  reason: Schema.Literal("HeapNearLimit", "ResidentNearLimit"),
  /** What is used, of what, such as `96 % of 2.1 GB`. */
  found: Schema.String,
  criticalPercent: Schema.Number,
  details: Schema.optional(Details),
  cause: Schema.optional(Schema.Defect)
}) {
  override get message(): string {
    const limit = `under ${Format.percent(this.criticalPercent)} expected`
    return this.reason === "HeapNearLimit"
      ? `Memory: the heap uses ${this.found}, ${limit}. Look for a leak, or raise --max-old-space-size.`
      : `Memory: the process uses ${this.found}, ${limit}. Look for a leak, or give it more memory.`
  }
}

const Config = Schema.Struct({
  warnPercent: ConfigField.withDefault(
    ConfigField.percent.annotations({
      description: "degraded when the heap or the process uses this share of its limit, in percent"
    }),
    85
  ),
  criticalPercent: ConfigField.withDefault(
    ConfigField.percent.annotations({
      description: "unhealthy when the heap or the process uses this share of its limit, in percent"
    }),
    95
  )
})

type Config = typeof Config.Type

const probe = (
  config: Config
): Effect.Effect<Outcome.Outcome, MemoryError, ProcessMemory.ProcessMemory> =>
  Effect.flatMap(ProcessMemory.ProcessMemory, (memory) =>
    Effect.flatMap(memory.read, (figures) => judge(config, figures))
  )

export const Memory = Check.make("memory", {
  description: "Heap and resident memory of this process against their limits",
  label: "memory",
  group: "liveness",
  config: Config.fields,
  error: MemoryError,
  probe,
  services: () => ProcessMemory.layer
})

const judge = (
  config: Config,
  figures: ProcessMemory.Figures
): Effect.Effect<Outcome.Outcome, MemoryError> => {
  const heap = Figures.share(figures.heapUsedBytes, figures.heapLimitBytes)
  const resident = Figures.share(figures.rssBytes, figures.limitBytes)
  const details = {
    heap_used_bytes: figures.heapUsedBytes,
    heap_limit_bytes: figures.heapLimitBytes,
    heap_used_percent: Figures.rounded(heap),
    rss_bytes: figures.rssBytes,
    limit_bytes: figures.limitBytes,
    limit_from: figures.limitFrom,
    rss_percent: Figures.rounded(resident)
  }
  const whose = figures.limitFrom === "cgroup" ? "allowed by the cgroup" : "of the machine"
  const heapText = `${Format.percent(heap)} of ${Format.bytes(figures.heapLimitBytes)}`
  const residentText = `${Format.percent(resident)} of the ${Format.bytes(figures.limitBytes)} ${whose}`
  const fail = (reason: MemoryError["reason"], found: string) =>
    new MemoryError({ reason, found, criticalPercent: config.criticalPercent, details })

  if (resident >= config.criticalPercent) return fail("ResidentNearLimit", residentText)
  if (heap >= config.criticalPercent) return fail("HeapNearLimit", heapText)
  const warnings = [
    ...(resident >= config.warnPercent ? [`the process uses ${residentText}`] : []),
    ...(heap >= config.warnPercent ? [`the heap uses ${heapText}`] : [])
  ]
  return Effect.succeed(
    warnings.length > 0
      ? Outcome.degraded(`Memory is short: ${warnings.join(", ")}`, { details })
      : Outcome.healthy(
          `Memory use is ${Format.bytes(figures.rssBytes)}, ${residentText}; the heap ${heapText}`,
          { details }
        )
  )
}
