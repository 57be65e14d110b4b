/**
 * How `runMain` tells a program that SIGHUP came and is not to stop it (`Options.reloads`), as daemons
 * read their configuration again then. One that comes before the program listens is kept.
 */
import { Context, type Effect, type Scope } from "effect"

export class ReloadRequest extends Context.Tag("holter/Lifecycle/ReloadRequest")<
  ReloadRequest,
  {
    /** For as long as the scope is open. A plain function: a signal handler calls it. */
    readonly listen: (reload: () => void) => Effect.Effect<void, never, Scope.Scope>
  }
>() {}
