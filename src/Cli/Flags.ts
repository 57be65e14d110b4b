/**
 * Flags that several commands have.
 */
import * as CliOptions from "@effect/cli/Options"

export const configFlag = CliOptions.text("config").pipe(
  CliOptions.withAlias("c"),
  CliOptions.withDescription(
    "The configuration file (default: holter.config.yaml or holter.config.json, if there is one); one of another user, with plugins or commands in it, root takes with --trust-config only"
  ),
  CliOptions.optional
)

export const graceFlag = CliOptions.text("grace").pipe(
  CliOptions.withDescription(
    "How long the platform waits between its signal and its kill (default: shutdown.grace of the configuration file, else 30s; Docker waits 10s)"
  ),
  CliOptions.optional
)

/** Flags that take a value: with nothing after them, @effect/cli calls them unknown. */
export const valued: ReadonlySet<string | undefined> = new Set([
  "--config",
  "-c",
  "--only",
  "--grace",
  "--database-url",
  "--backup-dir",
  "--backup-file",
  "--keep",
  "--at",
  "--for",
  "--until",
  "--why",
  "--by",
  "--since"
])
