/**
 * The terminal on standard output, for a command that keeps some lines at its bottom up to date.
 * Whatever else is written goes above them.
 */
import { Context, type Effect, type Scope } from "effect"

export interface Size {
  readonly columns: number
  readonly rows: number
}

export class Screen extends Context.Tag("holter/Cli/Screen")<
  Screen,
  {
    /** None where standard output is no terminal that can do this. */
    readonly size: Effect.Effect<Size | undefined>
    /** Called whenever the terminal has another size, for as long as the scope is open. */
    readonly onResize: (listener: () => void) => Effect.Effect<void, never, Scope.Scope>
    /** Puts these lines, which fit the terminal, in the place of the ones before. */
    readonly show: (lines: ReadonlyArray<string>) => Effect.Effect<void>
    /** Leaves the lines where they are: what is written from now on goes below them. */
    readonly leave: Effect.Effect<void>
  }
>() {}
