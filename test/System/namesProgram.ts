/** Checks and a channel by name, in a network where name servers misbehave. Prints what became of them. */
import { Clock, Effect, Layer, Redacted } from "effect"
import * as ChannelRegistry from "../../src/Alert/ChannelRegistry.js"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import { Http } from "../../src/plugins/Http.js"
import { Tcp } from "../../src/plugins/Tcp.js"
import { WebhookChannel } from "../../src/plugins/Webhook.js"
import { alert } from "../Alert/alerts.js"
import * as DnsDouble from "../support/DnsDouble.js"
import * as Behaviour from "../support/doubles/Behaviour.js"
import * as FaultyTcp from "../support/FaultyTcp.js"
import * as HttpDouble from "../support/HttpDouble.js"

const names = Array.from({ length: 12 }, (_, index) => `h${index}.dead.test`)
const zone = { "A good.test": ["127.0.0.1"], "AAAA six.test": ["00000000000000000000000000000001"] }

const program = Effect.gen(function* () {
  const [mode] = process.argv.slice(2)
  // Of two name servers the first, 127.0.0.9, has nobody who answers.
  if (mode === "second")
    yield* DnsDouble.make({}, { port: 53, address: "127.0.0.9", silentFor: "" })
  const dns = yield* DnsDouble.make(zone, { port: 53, silentFor: "dead.test" })
  const tcp = yield* FaultyTcp.silent
  const receiver = yield* HttpDouble.make({ routes: { "*": Behaviour.text(204, "") } })
  const dead = names.map((name) =>
    Http.layerStandalone({ url: `http://${name}:${tcp.port}/` }, { name })
  )
  const good = Array.from({ length: 20 }, (_, index) =>
    Tcp.layerStandalone({ host: "good.test", port: tcp.port }, { name: `good${index}` })
  )
  const url = Redacted.make(`http://good.test:${receiver.port}/hook`)
  const [first, ...others] = [...dead, ...good]
  if (first === undefined) return
  const context = yield* Layer.build(
    Layer.mergeAll(first, ...others, WebhookChannel.layerStandalone({ url })).pipe(
      Layer.provideMerge(
        Layer.mergeAll(CheckRegistry.layer, ChannelRegistry.layer, CheckRunner.layer())
      )
    )
  )
  const startedAt = yield* Clock.currentTimeMillis
  const results = yield* Effect.gen(function* () {
    const runner = yield* CheckRunner.CheckRunner
    const all = yield* (yield* CheckRegistry.CheckRegistry).all
    return yield* Effect.forEach(all, (check) => runner.run(check), { concurrency: "unbounded" })
  }).pipe(Effect.provide(context))
  const millis = (yield* Clock.currentTimeMillis) - startedAt
  const questions = yield* dns.questions
  // Now no name is found any more; the channel was not used before.
  yield* dns.fault("silent")
  const sent = yield* Effect.flatMap(ChannelRegistry.ChannelRegistry, ({ all }) => all).pipe(
    Effect.flatMap(([channel]) =>
      Effect.either(channel?.send(alert("opened", "database")) ?? Effect.void)
    ),
    Effect.provide(context)
  )
  console.log(JSON.stringify({ results, millis, sent: sent._tag, questions }))
})

// A program of its own, which ends when it has its results: nothing may hold it.
// eslint-disable-next-line no-restricted-syntax -- no test, but what a test starts
void Effect.runPromise(Effect.scoped(program)).then(
  () => process.exit(0),
  (error: unknown) => {
    console.error(error)
    process.exit(1)
  }
)
