/**
 * A double in a process of its own, which can be stopped with SIGSTOP. It is told what to be by
 * its first message, answers commands one message each, and ends with its parent.
 */
import { type DoubleOptions, start } from "./apis.js"
import type { Command, HttpCore } from "./HttpCore.js"

export type ToChild =
  | { readonly _tag: "Be"; readonly double: DoubleOptions }
  | { readonly _tag: "Ask"; readonly id: number; readonly command: Command }

export type FromChild =
  | { readonly _tag: "Listening"; readonly port: number }
  | { readonly _tag: "Answer"; readonly id: number; readonly value: unknown }
  | { readonly _tag: "Failed"; readonly id: number | undefined; readonly problem: string }

const tell = (message: FromChild) => process.send?.(message)

let double: HttpCore | undefined

const receive = async (message: ToChild): Promise<void> => {
  const id = message._tag === "Ask" ? message.id : undefined
  try {
    if (message._tag === "Be") {
      double = await start(message.double)
      tell({ _tag: "Listening", port: double.port })
    } else if (message._tag === "Ask") {
      tell({ _tag: "Answer", id: message.id, value: await double?.command(message.command) })
    }
  } catch (cause) {
    tell({ _tag: "Failed", id, problem: String(cause) })
  }
}

process.on("message", (message: ToChild) => void receive(message))
process.on("disconnect", () => process.exit(0))
