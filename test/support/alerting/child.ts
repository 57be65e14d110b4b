/** Runs program.ts as a process of its own, with its order as the argument. */
import { Effect, Logger } from "effect"
import { type Order, run } from "./program.js"

const order = JSON.parse(process.argv[2] ?? "{}") as Order

Effect.runPromise(Effect.provide(run(order), Logger.remove(Logger.defaultLogger))).catch(
  (error: unknown) => {
    process.stderr.write(String(error))
    process.exitCode = 70
  }
)
