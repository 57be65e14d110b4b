/** `holter watch` as a process: its configuration with short times, and how it ended. */
import { assert } from "@effect/vitest"
import { Effect, Option, Schedule } from "effect"
import * as Cli from "../support/Cli.js"
import * as ProcessTree from "../support/ProcessTree.js"
import type { TelegramDouble } from "../support/TelegramDouble.js"

/** For a test with processes and beats by the second, on a machine that has other things to do. */
export const patience = 150_000

/** A beat each second, an incident at the second failure, nobody waits for others. */
export const config = (...sections: ReadonlyArray<string>): Readonly<Record<string, string>> => ({
  "holter.config.yaml": [
    "heartbeat: { interval: 1 second, timeout: 1 second, failureThreshold: 2, recoveryThreshold: 2 }",
    ...sections
  ].join("\n")
})

export const checks = (entries: Readonly<Record<string, string>>): string =>
  ["checks:", ...Object.entries(entries).map(([name, entry]) => `  ${name}: ${entry}`)].join("\n")

export const alertsTo = ({ chatId, token, url }: TelegramDouble): string =>
  [
    "alerts:",
    `  channels: { ops: { type: telegram, token: "${token}", chatId: "${chatId}", apiUrl: "${url}" } }`,
    "  routes: [{ severity: unhealthy, to: [ops] }]",
    "  limits: { startGrace: 1 millis, groupWindow: 100 millis }"
  ].join("\n")

export const start = (
  options: Cli.CliOptions,
  ...flags: ReadonlyArray<string>
): ReturnType<typeof Cli.start> =>
  Cli.start(["watch", ...flags], { timeout: "1 minute", ...options })

/** Asks it to end, and waits until it has; nothing that it had started is alive then. */
export const stop = (watch: Cli.CliProcess, signal: NodeJS.Signals = "SIGTERM") =>
  Effect.gen(function* () {
    const below = ProcessTree.descendants(watch.pid)
    yield* watch.signal(signal)
    return yield* ended(watch, below)
  })

export const ended = (watch: Cli.CliProcess, below: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const result = yield* watch.exit
    assert.isFalse(result.timedOut, result.stdout + result.stderr)
    // What was killed with it may take a moment to be gone.
    const ended = yield* Effect.sync(() => below.filter(ProcessTree.isAlive)).pipe(
      Effect.repeat({ until: (left) => left.length === 0, schedule: Schedule.spaced("20 millis") }),
      Effect.timeoutOption("5 seconds")
    )
    assert.isTrue(
      Option.isSome(ended),
      `it left processes ${below.filter(ProcessTree.isAlive).join()}`
    )
    return result
  })

/** The phases that had something to do, in the order of the log. */
export const phases = ({ stderr }: Cli.CliResult): ReadonlyArray<string> =>
  [...stderr.matchAll(/message="shutdown: (\w+): [a-zA-Z ]+"$/gm)].map(([, phase = ""]) => phase)

const orderly = [
  "monitoring",
  "state",
  "drain",
  "cancel",
  "bot",
  "connections",
  "database",
  "close"
]

/** Ended in order, with a report, by this signal. */
export const assertOrderly = (result: Cli.CliResult, signal: string): void => {
  assert.strictEqual(result.code, 0, result.stderr)
  assert.deepStrictEqual(
    phases(result).filter((phase) => phase !== "intake"),
    orderly
  )
  const report = `message="shutdown by ${signal}: [\\d.]+ m?s of [^"]+, \\d+ hooks completed( \\([^"]*\\))?"`
  assert.match(result.stderr, new RegExp(report))
  // Of what went well nobody reads a plan or a waterfall.
  assert.notMatch(result.stderr, /"\s+database +journal +\||at most .* of /)
}
