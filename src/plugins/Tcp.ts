/**
 * Whether a TCP port accepts connections and, where asked, greets as it should. Nothing is kept
 * between beats: the time to connect is what is measured.
 */
import { type Clock, Duration, Effect, Layer, Schema } from "effect"
import type * as net from "node:net"
import * as Check from "../Check/Check.js"
import * as ConfigField from "../Plugin/ConfigField.js"
import { monotonicMillis } from "../Check/Deadlines.js"
import * as Outcome from "../Check/Outcome.js"
import * as Host from "../Common/Host.js"
import * as Sockets from "../System/Sockets.js"

export class TcpError extends Schema.TaggedError<TcpError>("holter/plugins/Tcp/TcpError")(
  "TcpError",
  {
    reason: Schema.Literal("Refused", "Unreachable", "DnsFailed", "Reset", "UnexpectedBanner"),
    address: Schema.String,
    /** What was to be in the first line, and what came instead. */
    expected: Schema.optional(Schema.String),
    found: Schema.optional(Schema.String),
    cause: Schema.optional(Schema.Defect)
  }
) {
  get isRetryable(): boolean {
    return this.reason !== "UnexpectedBanner"
  }

  override get message(): string {
    if (this.reason !== "UnexpectedBanner") {
      return `Cannot connect to ${this.address}: ${Host.advised(this.reason, this.found)}`
    }
    const found = this.found ? JSON.stringify(this.found) : "nothing before the end"
    return `${this.address} accepts connections, but the answer should contain ${JSON.stringify(this.expected)} and was ${found}. Does another service listen there?`
  }
}

const line = Schema.String.pipe(
  Schema.pattern(/^[^\r\n]{1,1000}$/, {
    description: "a string of 1 to 1000 characters on one line"
  })
)

const Config = Schema.Struct({
  host: Host.host.annotations({ description: "the host name or IP address to connect to" }),
  port: ConfigField.port.annotations({ description: "the TCP port" }),
  send: Schema.optional(
    Schema.String.annotations({
      description: 'a string to send once connected, such as "PING\\r\\n"; no secret belongs here'
    })
  ),
  expect: Schema.optional(
    line.annotations({ description: "a string that the first line of the answer must contain" })
  ),
  slow: Schema.optional(
    ConfigField.duration.annotations({
      description: 'degraded when connecting takes longer, such as "800 millis"'
    })
  )
})

type Config = typeof Config.Type

const probe = (config: Config): Effect.Effect<Outcome.Outcome, TcpError> =>
  Effect.map(exchange(config), (answer) => judge(config, answer))

/** Connects, sends `send`, and reads until the first line is complete where `expect` is set. */
export const Tcp = Check.make("tcp", {
  description: "Accepts connections on a TCP port and, on demand, greets as expected",
  label: "TCP port",
  config: Config.fields,
  error: TcpError,
  probe,
  services: () => Layer.empty
})

interface Answer {
  readonly connectMillis: number
  readonly remoteAddress: string | undefined
  readonly banner: string | undefined
}

const judge = (config: Config, answer: Answer): Outcome.Outcome => {
  const address = Host.address(config)
  const millis = Math.round(answer.connectMillis * 100) / 100
  const details = {
    address,
    connect_ms: millis,
    ...(answer.remoteAddress === undefined ? {} : { remote_address: answer.remoteAddress }),
    ...(answer.banner === undefined ? {} : { banner: answer.banner })
  }
  const limit = config.slow === undefined ? undefined : Duration.decode(config.slow)
  return limit !== undefined && answer.connectMillis > Duration.toMillis(limit)
    ? Outcome.degraded(
        `TCP port ${address} is slow to connect: ${millis} ms, more than ${Duration.format(limit)}`,
        { details }
      )
    : Outcome.healthy(`TCP port ${address} accepts connections`, { details })
}

/** A greeting that has not ended after so many characters is no line. */
const longestLine = 4096

const exchange = (config: Config): Effect.Effect<Answer, TcpError> =>
  Effect.scoped(
    Effect.clockWith((clock) => {
      const startedAt = monotonicMillis(clock)
      const failed = (cause: Sockets.SocketError) =>
        new TcpError({
          reason: Host.socketReason(cause) ?? "Unreachable",
          address: Host.address(config),
          found: cause.problem,
          cause
        })
      return Sockets.connect(config).pipe(
        Effect.mapError(failed),
        Effect.flatMap(({ socket }) => greeting(config, socket, arrived(clock, startedAt, socket)))
      )
    })
  )

/** Sends and reads on a socket that is open. */
const greeting = (
  config: Config,
  socket: net.Socket,
  connected: Omit<Answer, "banner">
): Effect.Effect<Answer, TcpError> => {
  const { expect, send } = config
  if (expect === undefined && send === undefined) {
    return Effect.succeed({ ...connected, banner: undefined })
  }
  return Effect.async((resume) => {
    const address = Host.address(config)
    let received = ""
    const unexpected = () => {
      const found = firstLine(received)
      resume(new TcpError({ reason: "UnexpectedBanner", address, expected: expect, found }))
    }
    socket.setEncoding("utf8")
    socket.on("error", (cause) => {
      const reason = Host.socketReason(cause) ?? "Reset"
      resume(new TcpError({ reason, address, cause }))
    })
    if (send !== undefined) socket.write(send)
    if (expect === undefined) return resume(Effect.succeed({ ...connected, banner: undefined }))
    socket.on("data", (text: string) => {
      received += text
      const [first = ""] = received.split("\n", 1)
      if (first.includes(expect)) {
        resume(Effect.succeed({ ...connected, banner: firstLine(received) }))
      } else if (first.length < received.length || first.length > longestLine) {
        unexpected()
      }
    })
    // `close` follows an error too; by then the answer is given, and a second one is not heard.
    socket.once("close", unexpected)
    if (socket.destroyed) unexpected()
  })
}

const arrived = (clock: Clock.Clock, startedAt: number, socket: net.Socket) => ({
  connectMillis: monotonicMillis(clock) - startedAt,
  remoteAddress: socket.remoteAddress
})

/** The first line as it came: the runner takes the secrets out, and whoever shows it cleans it. */
const firstLine = (received: string): string =>
  (received.split(/\r?\n/, 1)[0] ?? "").slice(0, longestLine)
