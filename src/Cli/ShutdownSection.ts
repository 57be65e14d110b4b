/**
 * The `shutdown` section of the configuration file: how `holter watch` ends.
 */
import { Schema } from "effect"
import * as ConfigField from "../Plugin/ConfigField.js"

export const ShutdownSection = Schema.Struct({
  grace: Schema.optional(
    ConfigField.duration.annotations({
      description:
        'how long the platform waits between its signal and its kill (default "30 seconds", as Kubernetes; "10 seconds" for Docker)'
    })
  ),
  lameDuck: Schema.optional(
    ConfigField.durationOrZero.annotations({
      description: 'how long to go on after the signal, such as "5 seconds" (default "0 seconds")'
    })
  ),
  watchdog: Schema.optional(
    ConfigField.durationOrZero.annotations({
      description:
        'how long the event loop may be blocked before the process ends with 70 (default "5 minutes"; "0 seconds" for no watchdog)'
    })
  )
})

export type ShutdownSection = typeof ShutdownSection.Type
