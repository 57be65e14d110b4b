/** A child process that answers each line it is given with one line. */
import { Effect, type Scope } from "effect"
import { createInterface } from "node:readline"
import * as ManagedProcess from "../../test/support/ManagedProcess.js"
import type { ServerError } from "../../test/support/ServerError.js"
import * as TestRun from "../../test/support/TestRun.js"
import { BenchError } from "./Rounds.js"

export interface LineProcess {
  readonly ask: (line: string) => Effect.Effect<string, BenchError>
}

export const start = (
  name: string,
  command: string,
  args: ReadonlyArray<string>
): Effect.Effect<LineProcess, ServerError | BenchError, Scope.Scope> =>
  Effect.gen(function* () {
    const { root } = yield* TestRun.current
    const { child, log } = yield* ManagedProcess.start({
      name,
      command,
      args,
      cwd: root,
      keepStdinOpen: true
    })
    const { stdin, stdout } = child
    if (stdin === null || stdout === null) {
      return yield* Effect.fail(new BenchError(`${name}: no pipes`))
    }
    const lines = createInterface({ input: stdout })
    return {
      ask: (line) =>
        Effect.async<string, BenchError>((resume) => {
          const answered = (text: string) => {
            child.off("close", ended)
            resume(Effect.succeed(text))
          }
          const ended = () => {
            lines.off("line", answered)
            resume(Effect.fail(new BenchError(`${name} ended: ${log().trim().slice(-2000)}`)))
          }
          if (child.exitCode !== null) return ended()
          lines.once("line", answered)
          child.once("close", ended)
          stdin.write(`${line}\n`)
        })
    }
  })
