/**
 * The command line: its commands, and what the end of each means for the exit code.
 */
import * as CliConfig from "@effect/cli/CliConfig"
import * as Command from "@effect/cli/Command"
import { isValidationError } from "@effect/cli/ValidationError"
import { Cause, Effect, Exit, Option, Predicate, Ref } from "effect"
import * as Secrets from "../Common/Secrets.js"
import { version } from "../Common/Version.js"
import * as CheckCommand from "./CheckCommand.js"
import { valued } from "./Flags.js"
import * as InitCommand from "./InitCommand.js"
import type { Invocation } from "./Invocation.js"
import { ExitCode, exitCodes, Output } from "./Output.js"
import * as PluginsCommand from "./PluginsCommand.js"
import * as TrustedConfig from "./TrustedConfig.js"
import { messageOf } from "../Common/Errors.js"

const root = Command.make("holter").pipe(
  Command.withDescription("Health checks, alerts and backups for bots and small services")
)

const about = { name: "holter", version, executable: "holter" }

const checkOnly = Command.run(Command.withSubcommands(root, [CheckCommand.command]), about)

const whole = Effect.map(
  Effect.promise(() =>
    Promise.all([
      import("./WatchCommand.js"),
      import("./Journal/JournalCommands.js"),
      import("./Alerts/AlertsCommand.js"),
      import("./Backup/BackupCommand.js"),
      import("./Config/ConfigCommand.js")
    ])
  ),
  ([watch, journal, alerts, backup, config]) =>
    Command.run(
      Command.withSubcommands(root, [
        CheckCommand.command,
        watch.command,
        ...journal.commands,
        alerts.command,
        backup.command,
        config.command,
        PluginsCommand.command,
        InitCommand.command
      ]),
      about
    )
)

/** A check is to start fast: the other commands, most of all those on backups, are built for others. */
const parsed = ({ argv, command }: Invocation) =>
  command === "check" ? checkOnly(argv) : Effect.flatMap(whole, (run) => run(argv))

const withPlugins: ReadonlySet<string | undefined> = new Set([
  "check",
  "watch",
  "config",
  "alerts",
  "plugins",
  "simulate"
])

/** Node looks up the working directory for each path that is not absolute, and throws where it is gone. */
const isWithoutDirectory = (fault: unknown): boolean =>
  Predicate.hasProperty(fault, "syscall") && fault.syscall === "uv_cwd"

const directoryGone =
  "holter: the working directory: expected one that exists, found that it was removed (or cannot be entered). Change to another one (`cd`), or start Holter with the directory of its data as the working directory"

/** Runs the command line. Its value is the exit code; it fails only when it is interrupted. */
export const run = (invocation: Invocation) =>
  Effect.gen(function* () {
    const output = yield* Output
    const { argv, command, trusts } = invocation
    if (trusts && !withPlugins.has(command)) {
      yield* output.note(
        `holter: ${TrustedConfig.flag}: expected a command that loads plugins or runs commands of the configuration file (${[...withPlugins].join(", ")}), found another`
      )
      return exitCodes.usage
    }
    // What is typed in a wrong place may be a database URL, and is quoted by the message.
    if (command !== "check") yield* output.hide(Secrets.make(Secrets.collect(argv)))
    const last = argv.at(-1)
    if (valued.has(last)) {
      yield* output.note(`holter: ${last}: expected a value after it, found nothing`)
      return exitCodes.usage
    }
    const code = yield* Ref.make(0)
    const exit = yield* parsed(invocation).pipe(
      Effect.provideService(TrustedConfig.Trusted, trusts),
      Effect.provideService(ExitCode, { set: (value) => Ref.set(code, value) }),
      Effect.provide(CliConfig.layer({ showBuiltIns: false })),
      Effect.exit
    )
    if (Exit.isSuccess(exit)) return yield* Ref.get(code)
    if (Cause.isInterruptedOnly(exit.cause)) return yield* Effect.interrupt
    const failure = Cause.failureOption(exit.cause)
    if (Option.isNone(failure)) {
      const fault = Cause.squash(exit.cause)
      if (isWithoutDirectory(fault)) {
        yield* output.note(directoryGone)
        return exitCodes.configuration
      }
      const text = messageOf(fault)
      yield* output.note(`holter: a fault of the program itself: ${text}`)
      return exitCodes.fault
    }
    // @effect/cli has printed its own errors.
    if (isValidationError(failure.value)) return exitCodes.usage
    // One line each: what is quoted in one must not make another.
    const [first = "", ...rest] =
      failure.value._tag === "ConfigurationError" ? failure.value.lines : [failure.value.message]
    yield* Effect.forEach([`holter: ${first}`, ...rest], output.note)
    return failure.value._tag === "ConfigurationError" ? exitCodes.configuration : exitCodes.usage
  })
