/**
 * Channels that had failed for good and work again: the program that watches hears of it through the
 * journal.
 */
import { Clock, Effect, Option } from "effect"
import { Journal } from "../../Monitor/Journal.js"
import type { Configuration } from "../Configuration.js"
import * as JournalAccess from "../Journal/JournalAccess.js"
import { Output } from "../Output.js"

/** Says so for each of them that was disabled. Without a journal nothing is known to be. */
export const enable = (names: ReadonlyArray<string>, { journal }: Configuration) =>
  Effect.gen(function* () {
    const { line } = yield* Output
    const { request, state } = yield* Journal
    const disabled = Option.match(yield* state, {
      onNone: () => ({}),
      onSome: (one) => one.disabled
    })
    const at = yield* Clock.currentTimeMillis
    yield* Effect.forEach(
      names.filter((name) => Object.hasOwn(disabled, name)),
      (channel) =>
        Effect.zipRight(
          request({ _tag: "ChannelEnabled", at, channel }),
          line(`   ${channel} was disabled; \`holter watch\` uses it again from now on`)
        ),
      { discard: true }
    )
  }).pipe(
    Effect.provide(JournalAccess.layer(journal, { reading: true })),
    Effect.catchAll((error) =>
      error.reason === "Missing"
        ? Effect.void
        : Effect.flatMap(Output, ({ note }) =>
            note(`holter: whether a channel was disabled is not known: ${error.message}`)
          )
    )
  )
