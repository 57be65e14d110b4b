/**
 * A dead man's switch: a ping to somebody outside, again and again, for as long as monitoring is
 * alive. When the pings stop, because this machine is down or Holter is, that somebody raises the
 * alarm that Holter cannot.
 *
 * The pings speak the language of healthchecks.io: the URL itself is "alive", `/start`, `/fail` and
 * `/log` behind it say more. Services that know the bare URL only are `plain`.
 */
import { Duration, Effect, Either, Layer, Redacted, Schedule, Schema, type Scope } from "effect"
import { DeadManSwitch, Vital, Vitals } from "../Alert/Vitals.js"
import * as ConfigField from "../Plugin/ConfigField.js"
import { HttpExchange, layerChannel, type Request } from "./shared/HttpExchange.js"
import { proxy } from "./shared/ProxyField.js"
import { secretUrl } from "./shared/SecretUrl.js"

export { HttpExchange, layerClientHttpClient, layerClientUndici } from "./shared/HttpExchange.js"

export const Settings = Schema.Struct({
  url: secretUrl({
    identifier: "PingUrl",
    description: "the URL to ping, such as https://hc-ping.com/your-uuid"
  }),
  interval: ConfigField.withDefault(
    ConfigField.duration.annotations({ description: "how often to ping (default 1 minute)" }),
    "1 minute"
  ),
  timeout: ConfigField.withDefault(
    ConfigField.duration.annotations({
      description: "how long an answer may take (default 10 seconds)"
    }),
    "10 seconds"
  ),
  style: ConfigField.withDefault(
    Schema.Literal("healthchecks", "plain").annotations({
      description:
        '"healthchecks" (healthchecks.io and what speaks like it, the default) or "plain": the bare URL by GET'
    }),
    "healthchecks"
  ),
  proxy
})

export type Settings = typeof Settings.Type

/** What `layer` takes: the settings as code writes them, defaults left out. */
export type Options = Parameters<typeof Settings.make>[0]

/** Pings for as long as it is there. The log names a ping that fails, and the first one that arrives again. */
const layer = (options: Options): Layer.Layer<DeadManSwitch, never, HttpExchange | Vitals> =>
  Layer.scoped(
    DeadManSwitch,
    Effect.suspend(() => {
      const settings = Settings.make(options)
      return Effect.as(run(settings), { interval: settings.interval })
    })
  )

const layerStandalone = (options: Options): Layer.Layer<DeadManSwitch, never, Vitals> =>
  Layer.provide(layer(options), layerChannel(Redacted.value(options.url), options))

/**
 * `layer` sends through the program's own client, `layerStandalone` over connections of its own.
 *
 * @example
 * import { Redacted } from "effect"
 * import { Holter } from "holter"
 * import { DeadMan } from "holter/plugins/DeadMan"
 * import { Http } from "holter/plugins/Http"
 *
 * export const Watch = Holter.layer({
 *   checks: Http.layerStandalone({ url: "https://example.com/up" }),
 *   deadMan: DeadMan.layerStandalone({ url: Redacted.make("https://hc-ping.com/your-uuid") })
 * })
 */
export const DeadMan = { layer, layerStandalone } as const

type Signal = "alive" | "start" | "fail" | "log"

/** After the start it is looked at this often whether there is something to tell. */
const eager = Duration.seconds(1)

/** How long the last word may hold up the end. */
const farewell = "2 seconds"

const run = (settings: Settings): Effect.Effect<void, never, HttpExchange | Vitals | Scope.Scope> =>
  Effect.gen(function* () {
    const vitals = yield* Vitals
    const http = yield* HttpExchange
    const tell = yield* teller
    const say = (signal: Signal, words: string) => tell(ping(http, settings, signal, words))
    const onlyFluent = (said: Effect.Effect<void>) =>
      settings.style === "healthchecks" ? said : Effect.void

    const beat = Effect.tap(
      vitals.now,
      Vital.$match({
        Alive: ({ overall }) => say("alive", `overall: ${overall}`),
        Stuck: ({ why }) => onlyFluent(say("fail", why)),
        Quiet: () => Effect.void
      })
    )
    // Nobody waits a whole interval for the first word.
    const first = Effect.repeat(beat, {
      until: ({ _tag }) => _tag !== "Quiet",
      schedule: Schedule.spaced(eager)
    })
    const others = Effect.forever(Effect.delay(beat, settings.interval))
    yield* Effect.addFinalizer(() =>
      onlyFluent(say("log", "stopping")).pipe(Effect.interruptible, Effect.timeoutOption(farewell))
    )
    yield* Effect.forkScoped(
      onlyFluent(say("start", "starting")).pipe(Effect.zipRight(first), Effect.zipRight(others))
    )
  })

/** Tells of a ping that fails when the one before did not, and the other way round. */
const teller = Effect.sync(() => {
  let isFailing = false
  return (sent: Effect.Effect<void, string>): Effect.Effect<void> =>
    Effect.flatMap(Effect.either(sent), (result) => {
      const wasFailing = isFailing
      isFailing = Either.isLeft(result)
      if (Either.isLeft(result)) {
        return wasFailing ? Effect.void : Effect.logWarning(`${what} fails: ${result.left}`)
      }
      return wasFailing ? Effect.logInfo(`${what} arrives again`) : Effect.void
    })
})

const what = "The ping that says that Holter is alive"

const ping = (
  http: HttpExchange["Type"],
  { style, timeout, url }: Settings,
  signal: Signal,
  words: string
): Effect.Effect<void, string> =>
  http.exchange({ ...requestOf(Redacted.value(url), style, signal, words), ...onlyStatus }).pipe(
    Effect.mapError(({ message }) => message),
    Effect.disconnect,
    Effect.timeoutFail({
      duration: timeout,
      onTimeout: () => `no answer within ${Duration.format(timeout)}`
    }),
    Effect.flatMap(({ status }) =>
      status >= 200 && status < 300
        ? Effect.void
        : Effect.fail(`expected an answer of 2xx, found HTTP ${status}; is its URL right?`)
    )
  )

/** A page behind the status is nothing that anybody reads. */
const onlyStatus = { maxBytes: 4096, cut: true }

const requestOf = (
  url: string,
  style: Settings["style"],
  signal: Signal,
  words: string
): Request => {
  if (style === "plain") return { method: "GET", url }
  const target = new URL(url)
  if (signal !== "alive") target.pathname = `${target.pathname.replace(/\/+$/, "")}/${signal}`
  return { method: "POST", url: target, headers: { "content-type": "text/plain" }, body: words }
}
