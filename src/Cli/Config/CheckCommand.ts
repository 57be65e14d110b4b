/**
 * `holter config check`: whether `holter watch` could start with this configuration, without starting
 * anything.
 */
import * as Command from "@effect/cli/Command"
import { Effect, type Option } from "effect"
import { jsonFlag } from "../Backup/BackupFlags.js"
import { configFlag, graceFlag } from "../Flags.js"
import { json, Output } from "../Output.js"
import * as Services from "../Services.js"
import * as Summary from "../Watch/Summary.js"
import * as WatchSettings from "../Watch/WatchSettings.js"
import * as CheckPage from "./CheckPage.js"

export const command = Command.make(
  "check",
  { json: jsonFlag, grace: graceFlag, config: configFlag },
  (flags) => check(flags)
).pipe(
  Command.withDescription(
    "Load the configuration as holter watch does, and say what is wrong in it: no check is run, no connection is opened, nothing is sent. Exit code: 0 it can be used, 78 it cannot"
  )
)

interface Flags {
  readonly json: boolean
  readonly grace: Option.Option<string>
  readonly config: Option.Option<string>
}

const check = (flags: Flags) =>
  Effect.gen(function* () {
    const { line, look, note } = yield* Output
    const settings = yield* WatchSettings.ready(flags).pipe(
      Effect.tapErrorTag("ConfigurationError", (error) =>
        flags.json ? json(CheckPage.refusal(error)) : Effect.void
      )
    )
    const { embedded, secrets } = settings.configuration
    yield* Effect.forEach(Summary.warnings(settings), note, { discard: true })
    if (embedded) yield* note(nothingConfigured)
    yield* flags.json
      ? json(secrets.scrubAll(CheckPage.document(settings)))
      : line(secrets.scrub(CheckPage.line(settings, look)))
  })

const nothingConfigured = `holter: no service is configured, so holter watch looks after a database of Holter's own and this machine only: set one of ${Services.presenceVariables.join(", ")}, or name a configuration file with --config`
