/**
 * Alerts in the program's log. It needs nothing and cannot fail, so it is the channel behind all
 * others.
 */
import { Effect, Layer } from "effect"
import * as AlertChannel from "../AlertChannel.js"
import * as AlertText from "../AlertText.js"
import { logChannel } from "../Routes.js"

export const LogChannel = AlertChannel.make(logChannel, {
  description: "Writes alerts to the log",
  config: {},
  send: (alert) => {
    const log = alert.kind === "resolved" ? Effect.logInfo : Effect.logWarning
    return log(AlertText.text(alert)).pipe(
      Effect.annotateLogs({ alert: alert.key, kind: alert.kind, severity: alert.severity })
    )
  },
  services: () => Layer.empty
})
