/**
 * Writes the text of every `--help` page, as the command line itself prints it, so that bin.cjs can
 * answer without loading it.
 */
import { writeFile } from "node:fs/promises"
import * as NodeContext from "@effect/platform-node/NodeContext"
import { Console, Effect } from "effect"
import * as Cli from "../dist/Cli/Cli.js"
import * as Invocation from "../dist/Cli/Invocation.js"
import { Output } from "../dist/Cli/Output.js"

const pages = [
  ...["", "check", "watch", "plugins", "plugins list", "plugins describe", "init", "backup"],
  ...["alerts", "alerts test", "config", "config check"],
  ...["status", "why", "silence", "unsilence", "ack", "simulate"],
  ...["maintenance", "maintenance start", "maintenance stop", "reload"],
  ...["create", "list", "verify", "drill", "restore", "prune"].map((name) => `backup ${name}`)
]

const page = (path) =>
  Effect.gen(function* () {
    const lines = []
    const console = yield* Console.consoleWith(Effect.succeed)
    const print = (...parts) => Effect.sync(() => lines.push(parts.join(" ")))
    const words = ["node", "holter", ...path.split(" ").filter(Boolean), "--help"]
    const code = yield* Cli.run(Invocation.of(words)).pipe(
      Effect.withConsole({ ...console, log: print }),
      Effect.provideService(Output, {
        line: print,
        note: print,
        hide: () => Effect.void,
        look: { emoji: true, color: true }
      }),
      Effect.provide(NodeContext.layer)
    )
    if (code !== 0 || lines.length === 0) return yield* Effect.dieMessage(`no help for "${path}"`)
    return [path, lines.join("\n")]
  })

const texts = await Effect.runPromise(Effect.forEach(pages, page))
const target = new URL("../dist/help.json", import.meta.url)
await writeFile(target, JSON.stringify(Object.fromEntries(texts)))
