/**
 * What people ask for from other programs, `holter silence` and the like: they leave it in the
 * journal, and here it is looked for.
 *
 * @internal
 */
import { type Duration, Effect, type Mailbox } from "effect"
import type { Journal } from "../Journal.js"
import { Input } from "./Input.js"

export const poll = (
  journal: Journal["Type"],
  inbox: Mailbox.Mailbox<Input>,
  every: Duration.DurationInput
): Effect.Effect<never> =>
  Effect.suspend(() => {
    let trouble: string | undefined
    const look = journal.takeRequests.pipe(
      Effect.flatMap((requests) => {
        trouble = undefined
        return inbox.offerAll(
          requests.map((request) =>
            Input.Said({ event: (at) => ({ ...request, at }), done: undefined })
          )
        )
      }),
      Effect.catchAll((error) => {
        const isNews = trouble !== error.message
        trouble = error.message
        return isNews
          ? Effect.logWarning(`What other programs ask for is not heard: ${error.message}`)
          : Effect.void
      })
    )
    return Effect.forever(Effect.zipRight(look, Effect.sleep(every)))
  })
