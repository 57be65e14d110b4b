/**
 * The vitals of a `HealthMonitor`: it is alive when its heartbeat is running, the whole is known, and
 * not every check is stale.
 *
 * @since 0.1.0
 */
import { Effect, Layer, Option } from "effect"
import { Vital, Vitals } from "../Alert/Vitals.js"
import { HealthMonitor } from "./HealthMonitor.js"

export {
  /**
   * @since 0.1.0
   * @category models
   */
  Vital,
  /**
   * @since 0.1.0
   * @category tags
   */
  Vitals
} from "../Alert/Vitals.js"

/**
 * @since 0.1.0
 * @category layers
 */
export const layer: Layer.Layer<Vitals, never, HealthMonitor> = Layer.effect(
  Vitals,
  Effect.map(HealthMonitor, ({ heartbeat, overallStatus }) => ({
    now: Effect.gen(function* () {
      const report = Option.getOrUndefined(yield* heartbeat)
      if (report === undefined || report.beats.size === 0) return Vital.Quiet()
      if (report.stale.length >= report.beats.size) {
        return Vital.Stuck({ why: "no check has had a result for three of its intervals" })
      }
      const overall = yield* overallStatus
      return overall === "unknown" ? Vital.Quiet() : Vital.Alive({ overall })
    })
  }))
)
