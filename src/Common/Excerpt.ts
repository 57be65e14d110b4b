/**
 * A part of what somebody else said, for a message: a server's answer, the last words of a program. Its
 * secrets are taken out of the raw text first. Only then it is folded, cleaned and cut, as a half, a
 * folded or a changed secret is not recognised as one.
 *
 * Where only the caller knows the secrets, nothing is cut at all: the runner of checks takes them out and
 * cuts the message.
 *
 * @internal
 */
import { Context, Effect } from "effect"
import * as Secrets from "./Secrets.js"
import * as Text from "./Text.js"

/** All secrets that are known where something runs, as those who started it know more than it does. */
class Known extends Context.Reference<Known>()("holter/Common/Excerpt/Known", {
  defaultValue: () => Secrets.none
}) {}

/** Lets it know these as well. */
export const knowing =
  (secrets: Secrets.Secrets) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.flatMap(Known, (known) =>
      Effect.provideService(effect, Known, Secrets.merge(known, secrets))
    )

/** A context in which just these are known. */
export const among = <R>(
  context: Context.Context<R>,
  secrets: Secrets.Secrets
): Context.Context<R> => Context.add(context, Known, secrets)

/** The beginning, on one line. */
export const make = (secrets: Secrets.Secrets, text: string, most: number): string =>
  Text.clip(Text.visible(secrets.scrub(text)).trim(), most)

/** The beginning of it, by the secrets that are known. */
export const current = (text: string, most: number): Effect.Effect<string> =>
  Effect.map(Known, (secrets) => make(secrets, text, most))

/** The end of it, in whole words where it has several. */
export const currentEnd = (text: string, most: number): Effect.Effect<string> =>
  Effect.map(Known, (secrets) => {
    const clean = Text.visible(secrets.scrub(text)).trim()
    if (clean.length <= most) return clean
    const end = clean.slice(-most)
    return end.includes(" ") ? end.replace(/^[^ ]*/, "…") : `…${end}`
  })
