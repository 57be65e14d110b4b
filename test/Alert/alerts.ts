/**
 * Alerts for tests.
 */
import { DateTime, Duration } from "effect"
import * as Alert from "../../src/Alert/Alert.js"
import { start } from "./trace.js"

export const alert = (
  kind: Alert.Kind,
  service: string,
  options: { readonly at?: number; readonly channel?: string; readonly incident?: string } = {}
): Alert.Alert => {
  const { at = 0, channel = "ops", incident = `${service}-1` } = options
  const over = kind === "resolved"
  return {
    key: Alert.key(incident, channel, kind, at),
    channel,
    kind,
    severity: "unhealthy",
    at: DateTime.unsafeMake(start + at),
    subjects: [
      {
        service,
        label: service,
        incident,
        status: over ? "healthy" : "unhealthy",
        previous: over ? "unhealthy" : "healthy",
        severity: "unhealthy",
        since: DateTime.unsafeMake(start),
        duration: Duration.millis(at),
        message: over ? "it answers" : "it does not answer",
        over
      }
    ],
    affected: [],
    insteadOf: null,
    story: []
  }
}
