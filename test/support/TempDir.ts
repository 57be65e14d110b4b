/** A temporary folder of the test run, removed with its scope. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { chmod, mkdtemp, rm } from "node:fs/promises"
import * as path from "node:path"
import { fromUnknown, type ServerError } from "./ServerError.js"
import * as TestRun from "./TestRun.js"

/** Others may pass through it (`0711`): the servers run as another user. */
export const make = (prefix: string): Effect.Effect<string, ServerError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.gen(function* () {
      const run = yield* TestRun.current
      return yield* Effect.tryPromise({
        try: async () => {
          const folder = await mkdtemp(path.join(run.root, `${prefix}-`))
          await chmod(folder, 0o711)
          return folder
        },
        catch: fromUnknown("temporary folder", "make")
      })
    }),
    (folder) => Effect.promise(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }))
  )
