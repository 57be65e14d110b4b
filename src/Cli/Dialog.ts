/**
 * The person at the terminal, if there is one: what a command may ask, and a line that it rewrites.
 */
import { Context, type Effect } from "effect"

export class Dialog extends Context.Tag("holter/Cli/Dialog")<
  Dialog,
  {
    /** Whether somebody can be asked: standard input and standard error are a terminal. */
    readonly isOpen: Effect.Effect<boolean>
    /** Asks on standard error. Nothing typed, or the end of input, is an empty answer. */
    readonly ask: (question: string) => Effect.Effect<string>
    /** The columns of the terminal on standard error; none where it is something else. */
    readonly columns: Effect.Effect<number | undefined>
    /** Puts this in the place of the line on standard error, without ending it. */
    readonly rewrite: (text: string) => Effect.Effect<void>
  }
>() {}
