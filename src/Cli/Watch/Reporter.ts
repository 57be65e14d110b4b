/**
 * Where the parts of `holter watch` report to: the board that the table shows, and the lines. Nobody
 * who reports waits for whoever reads.
 */
import { Clock, Context, Effect, Layer, Mailbox } from "effect"
import type { Secrets } from "../../Common/Secrets.js"
import { briefly, Output } from "../Output.js"
import type { WatchState } from "./WatchState.js"
import * as Lines from "./Lines.js"

export class Reporter extends Context.Tag("holter/Cli/Watch/Reporter")<
  Reporter,
  {
    readonly board: Effect.Effect<WatchState>
    readonly update: (change: (board: WatchState) => WatchState) => Effect.Effect<void>
    readonly say: (line: Lines.Line) => Effect.Effect<void>
    /** Waits until the board is another than when this was asked last. */
    readonly changed: Effect.Effect<void>
    /** Waits until all lines are written, and no longer than a reader may take. */
    readonly written: Effect.Effect<void>
  }
>() {}

export interface Options {
  readonly board: WatchState
  readonly secrets: Secrets
  readonly json: boolean
}

export const layer = (options: Options): Layer.Layer<Reporter, never, Output> =>
  Layer.scoped(
    Reporter,
    Effect.gen(function* () {
      const { line } = yield* Output
      const lines = yield* Mailbox.make<string>({ capacity: mostLines, strategy: "sliding" })
      const news = yield* Effect.makeLatch(true)
      const idle = yield* Effect.makeLatch(true)
      let board = options.board
      let waiting = 0
      let dropped = 0

      const write = (said: Lines.Line) =>
        options.secrets.scrub(options.json ? Lines.json(said) : Lines.text(said))
      /** How much is missing stands where it is missing: before the first line that was kept. */
      const confess = Effect.gen(function* () {
        if (dropped === 0) return
        const at = yield* Clock.currentTimeMillis
        const missing = dropped
        dropped = 0
        yield* line(write(Lines.dropped(at, missing)))
      })
      const print = Effect.gen(function* () {
        const text = yield* lines.take
        yield* Effect.zipRight(confess, line(text))
        waiting -= 1
        if (waiting === 0) yield* idle.open
      })
      yield* Effect.forkScoped(Effect.ignore(Effect.forever(print)))

      return {
        board: Effect.sync(() => board),
        update: (change) =>
          Effect.suspend(() => {
            board = change(board)
            return news.open
          }),
        say: (said) =>
          Effect.suspend(() => {
            // The one that is being written, and a full mailbox.
            if (waiting > mostLines) dropped += 1
            else waiting += 1
            return Effect.zipRight(idle.close, lines.offer(write(said)))
          }),
        changed: Effect.zipRight(news.await, news.close),
        written: briefly(idle.await)
      }
    })
  )

/** For a reader that is slow, or does not read at all: of more lines the oldest are dropped. */
const mostLines = 1000
