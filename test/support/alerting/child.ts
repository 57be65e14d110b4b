/** Runs program.ts as a process of its own, with its order as the argument. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Effect, Logger } from "effect"
import { type Order, run } from "./program.js"

const order = JSON.parse(process.argv[2] ?? "{}") as Order

NodeRuntime.runMain(Effect.provide(run(order), Logger.remove(Logger.defaultLogger)))
