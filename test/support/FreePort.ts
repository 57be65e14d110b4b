/**
 * A free port on loopback, below the range from which the kernel takes ports for outgoing
 * connections: a server that is stopped for a while finds its port free when it comes back.
 */
import * as Effect from "effect/Effect"
import * as net from "node:net"
import { ServerError } from "./ServerError.js"

const lowest = 20_000
const highest = 31_999

export const find: Effect.Effect<number, ServerError> = Effect.suspend(() => {
  const port = lowest + Math.floor(Math.random() * (highest - lowest + 1))
  return isFree(port)
}).pipe(Effect.retry({ times: 50 }))

const isFree = (port: number): Effect.Effect<number, ServerError> =>
  Effect.async((resume) => {
    const server = net.createServer()
    server.once("error", (cause) => {
      resume(
        Effect.fail(
          new ServerError({ server: "free port", operation: "listen", detail: `${port}`, cause })
        )
      )
    })
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      server.close(() => resume(Effect.succeed(port)))
    })
    return Effect.sync(() => server.close())
  })
