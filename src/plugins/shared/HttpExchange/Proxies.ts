/**
 * The proxies of a layer: those of its option, or of the environment of the program.
 *
 * @internal
 */
import { Config, Effect, Either, Redacted } from "effect"
import * as Proxy from "../../../System/Sockets/Proxy.js"

export type Way = Proxy.Way
export type WayTo = (url: URL) => Way

/** `none` is for who is to be reached directly whatever the environment says. */
export const none = "none"

export const make = (given: Redacted.Redacted<string> | undefined): Effect.Effect<WayTo> => {
  if (given === undefined) return fromEnvironment
  const text = Redacted.value(given)
  if (text === none) return Effect.succeed(() => "direct")
  const way = Either.getOrElse(Proxy.parse(text), (found) => ({ name: "proxy", found }))
  return Effect.succeed(() => way)
}

const fromEnvironment: Effect.Effect<WayTo> = Effect.gen(function* () {
  const variables = yield* Effect.all({
    http_proxy: variable("http_proxy"),
    https_proxy: variable("https_proxy"),
    no_proxy: variable("no_proxy")
  })
  return (url) => Proxy.choose(variables, url)
})

const variable = (name: string): Effect.Effect<string | undefined> =>
  Config.string(name).pipe(
    Config.orElse(() => Config.string(name.toUpperCase())),
    // One that cannot be read is not set.
    Effect.orElseSucceed(() => undefined)
  )
