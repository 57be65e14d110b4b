/**
 * What people ask for from other programs, `holter silence` and the like: they leave it in the
 * journal, and here it is looked for.
 *
 * @internal
 */
import { type Duration, Effect, type Mailbox } from "effect"
import type { Journal, Unreadable } from "../Journal.js"
import { Input } from "./Input.js"

export const poll = (
  journal: Journal["Type"],
  inbox: Mailbox.Mailbox<Input>,
  every: Duration.DurationInput
): Effect.Effect<never> =>
  Effect.suspend(() => {
    let trouble: string | undefined
    // Until the step that takes a request is written, it is still there, and heard already.
    let heard: ReadonlySet<string> = new Set()
    const look = Effect.gen(function* () {
      const { known, unreadable } = yield* journal.requests
      trouble = undefined
      const news = known.filter(({ id }) => !heard.has(id))
      heard = new Set(known.map(({ id }) => id))
      yield* inbox.offerAll(
        news.map(({ event, id }) =>
          Input.Said({ event: (at) => ({ ...event, at }), done: undefined, request: id })
        )
      )
      if (unreadable.length > 0) yield* journal.setAside(unreadable)
      yield* Effect.forEach(unreadable, (one) => Effect.logWarning(notRead(one)), { discard: true })
    }).pipe(
      Effect.catchAll((error) => {
        const isNews = trouble !== error.message
        trouble = error.message
        return isNews
          ? Effect.logWarning(`Requests of other programs cannot be read: ${error.message}`)
          : Effect.void
      })
    )
    return Effect.forever(Effect.zipRight(look, Effect.sleep(every)))
  })

const notRead = ({ id, why }: Unreadable): string =>
  `A silence, an acknowledgement or the like that was left in the journal cannot be read (${why}) and was put aside (holter_requests_aside, ${id}): say it again with the version of Holter that watches`
