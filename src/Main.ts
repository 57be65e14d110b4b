/**
 * The bin. The only place where Holter meets the process: arguments, descriptors, environment.
 */
import { writeSync } from "node:fs"
import { createInterface } from "node:readline"
import { isatty } from "node:tty"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import { Terminal } from "@effect/platform/Terminal"
import { Console, Effect, Layer, Logger } from "effect"
import type { Canvas } from "./Cli/Canvas.js"
import * as Cli from "./Cli/Cli.js"
import { Dialog } from "./Cli/Dialog.js"
import * as Invocation from "./Cli/Invocation.js"
import { documentOf, lineOf, lookOf, Output } from "./Cli/Output.js"
import { Screen } from "./Cli/Screen.js"
import * as Secrets from "./Common/Secrets.js"
import { runMain } from "./Lifecycle/runMain.js"

const look = lookOf({
  isTerminal: process.stdout.isTTY === true,
  variable: (name) => process.env[name]
})

/** The lines that a command keeps at the bottom of the terminal, once there are any. */
let canvas: Canvas | undefined

const columns = () => process.stdout.columns || 80

/** What is written to the terminal goes above such lines. */
const placed = (stream: NodeJS.WriteStream, text: string) =>
  stream.isTTY && canvas !== undefined ? canvas.above(text, columns()) : text

/** Until it is written: a pipe takes what its reader has room for, and an exit loses the rest. */
const writeLine = (stream: NodeJS.WriteStream, text: string) =>
  Effect.async<void>((resume) => {
    stream.write(placed(stream, `${text}\n`), (error) => {
      resume(error && !hasLeft(error) ? Effect.die(error) : Effect.void)
    })
  })

/** A reader that left, as in `holter check | head -1`, is no fault. */
const hasLeft = (error: NodeJS.ErrnoException) =>
  error.code === "EPIPE" || error.code === "ERR_STREAM_DESTROYED"

// Known once the configuration is read. A crash comes from anywhere, also from where no service is.
let secrets = Secrets.none
const scrub = (text: string) => secrets.scrub(text)

// Secrets go first: in a text that was cleaned they are not recognised.
const line = (text: string) => writeLine(process.stdout, lineOf(text, look))
const help = (text: string) => writeLine(process.stdout, documentOf(text, look))
const note = (text: string) =>
  Effect.suspend(() => writeLine(process.stderr, lineOf(scrub(text), look)))
const notes = (text: string) =>
  Effect.suspend(() => writeLine(process.stderr, documentOf(scrub(text), look)))
const hide = (found: Secrets.Secrets) =>
  Effect.sync(() => {
    secrets = found
  })

/** Log lines wait for no reader: where too much waits already, the next ones are dropped. */
const mostLogged = 1024 * 1024
let dropped = 0

const log = (text: string): void => {
  if (process.stderr.writableLength > mostLogged) {
    dropped += 1
    return
  }
  const missing =
    dropped === 0 ? "" : `${dropped} log lines were dropped: the reader was too slow\n`
  dropped = 0
  process.stderr.write(placed(process.stderr, missing + text))
}

// @effect/cli prints through the Console, with ANSI sequences also where nothing shows them. Loggers
// print through its unsafe side.
const standard = Effect.runSync(Console.consoleWith(Effect.succeed))
const console: Console.Console = {
  ...standard,
  log: (...parts) => help(parts.join(" ")),
  error: (...parts) => notes(parts.join(" ")),
  unsafe: {
    ...standard.unsafe,
    error: (...parts) => log(`${lineOf(scrub(parts.join(" ")), look)}\n`)
  }
}

// Opened when a command asks something: an open standard input costs more than to parse a command.
const terminal = Layer.succeed(
  Terminal,
  Terminal.of({
    columns: Effect.sync(() => process.stdout.columns ?? 0),
    rows: Effect.sync(() => process.stdout.rows ?? 0),
    isTTY: Effect.sync(() => process.stdout.isTTY === true),
    display: (text) =>
      Effect.scoped(Effect.flatMap(NodeTerminal.make(), ({ display }) => display(text))),
    readInput: Effect.flatMap(NodeTerminal.make(), ({ readInput }) => readInput),
    readLine: Effect.scoped(Effect.flatMap(NodeTerminal.make(), ({ readLine }) => readLine))
  })
)

/** What is said when it comes to an end by force, and the cursor for whoever types next. */
const lastWords = (text: string) =>
  `${process.stderr.isTTY ? (canvas?.cursor ?? "") : ""}${documentOf(scrub(text), look)}`

/** Without a line break: a question, or a line that the next one takes the place of. */
const writeError = (text: string) =>
  Effect.async<void>((resume) => {
    process.stderr.write(text, () => {
      resume(Effect.void)
    })
  })

// The terminal itself edits the line and turns Ctrl-C into SIGINT: nothing here needs to.
const readAnswer = Effect.async<string>((resume) => {
  const lines = createInterface({ input: process.stdin, terminal: false })
  lines.once("line", (text) => {
    resume(Effect.succeed(text))
    lines.close()
  })
  lines.once("close", () => {
    resume(Effect.succeed(""))
  })
  return Effect.sync(() => {
    lines.close()
  })
})

const isSmart = () => process.stderr.isTTY === true && process.env["TERM"] !== "dumb"

const dialog = Dialog.of({
  isOpen: Effect.sync(() => process.stdin.isTTY === true && process.stderr.isTTY === true),
  ask: (question) => Effect.zipRight(writeError(documentOf(scrub(question), look)), readAnswer),
  columns: Effect.sync(() => (isSmart() ? process.stderr.columns || 80 : undefined)),
  rewrite: (text) => writeError(`\r\u001b[K${lineOf(scrub(text), look)}`)
})

/** The cursor comes back also where the program ends by force. */
const restoreCursor = () => {
  try {
    writeSync(1, canvas?.cursor ?? "")
  } catch {
    // The terminal is gone, and its cursor with it.
  }
}

const drawn = (write: (canvas: Canvas) => string) =>
  Effect.flatMap(
    Effect.promise(() => import("./Cli/Canvas.js")),
    ({ Canvas }) =>
      Effect.async<void>((resume) => {
        if (canvas === undefined) {
          canvas = new Canvas()
          process.on("exit", restoreCursor)
        }
        process.stdout.write(write(canvas), () => {
          resume(Effect.void)
        })
      })
  )

const screen = Screen.of({
  size: Effect.sync(() =>
    process.stdout.isTTY && process.env["TERM"] !== "dumb"
      ? { columns: columns(), rows: process.stdout.rows || 24 }
      : undefined
  ),
  onResize: (listener) =>
    Effect.acquireRelease(
      Effect.sync(() => process.stdout.on("resize", listener)),
      () => Effect.sync(() => process.stdout.off("resize", listener))
    ),
  show: (lines) =>
    drawn((on) =>
      on.draw(
        lines.map((text) => lineOf(text, look)),
        columns()
      )
    ),
  leave: Effect.suspend(() => (canvas === undefined ? Effect.void : drawn((on) => on.leave())))
})

// Log lines are for the operator; standard output is for the result.
const logger = Logger.replace(Logger.defaultLogger, Logger.withConsoleError(Logger.logfmtLogger))

const invocation = Invocation.of(process.argv)
const isWatch = invocation.command === "watch"

/** Whose end (SIGHUP) is the end of the program: a daemon has none. */
const hasTerminal = () => [0, 1, 2].some((descriptor) => isatty(descriptor))

runMain(
  Cli.run(invocation).pipe(
    Effect.withConsole(console),
    Effect.provideService(Output, { line, note, hide, look }),
    Effect.provideService(Dialog, dialog),
    Effect.provideService(Screen, screen),
    Effect.provide(Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, terminal, logger))
  ),
  { name: "holter", scrub: lastWords, untilStopped: isWatch, reloads: isWatch && !hasTerminal() }
)
