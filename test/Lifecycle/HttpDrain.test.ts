import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber } from "effect"
import { once } from "node:events"
import * as http from "node:http"
import type { AddressInfo, Socket } from "node:net"
import * as HttpDrain from "../../src/Lifecycle/HttpDrain.js"
import { get } from "./client.js"

/** A server that is watched, whose answers begin at once and end when they are told to. */
const serving = Effect.gen(function* () {
  const responses: Array<http.ServerResponse> = []
  const began = yield* Deferred.make<void>()
  const server = http.createServer((request, response) => {
    if (request.url === "/quick") {
      response.end("done")
      return
    }
    responses.push(response)
    // The headers are out, and they do not say `Connection: close`.
    response.write("begun, ")
    Deferred.unsafeDone(began, Effect.void)
  })
  const drain = yield* HttpDrain.make(server)
  yield* Effect.acquireRelease(
    Effect.promise(() => once(server.listen(0, "127.0.0.1"), "listening")),
    () =>
      Effect.sync(() => {
        server.closeAllConnections()
        server.close()
      })
  )
  const agent = yield* Effect.acquireRelease(
    Effect.sync(() => new http.Agent({ keepAlive: true })),
    (agent) => Effect.sync(() => agent.destroy())
  )
  const sockets: Array<Socket> = []
  server.on("connection", (socket) => sockets.push(socket))
  return {
    agent,
    began: Deferred.await(began),
    drain,
    finish: Effect.sync(() => {
      for (const response of responses) response.end("done")
    }),
    /** All connections there were have ended. */
    closed: Effect.promise(() =>
      Promise.all(
        sockets.filter(({ destroyed }) => !destroyed).map((socket) => once(socket, "close"))
      )
    ),
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  }
})

describe("a server that drains", () => {
  it.scopedLive("counts a request from the start of its handler to the end of its answer", () =>
    Effect.gen(function* () {
      const { began, drain, finish, url } = yield* serving
      assert.strictEqual(drain.pending(), 0)
      const request = yield* Effect.fork(get(url))
      yield* began
      assert.strictEqual(drain.pending(), 1)
      const answered = yield* Effect.fork(drain.answered)
      yield* finish
      assert.strictEqual((yield* Fiber.join(request)).body, "begun, done")
      yield* Fiber.join(answered)
      assert.strictEqual(drain.pending(), 0)
    })
  )

  it.scopedLive("takes no more connections, and closes the idle ones", () =>
    Effect.gen(function* () {
      const { agent, closed, drain, url } = yield* serving
      yield* get(`${url}/quick`, agent)
      yield* drain.stopAccepting
      yield* closed
      const refused = yield* Effect.flip(get(`${url}/quick`))
      assert.strictEqual(refused.code, "ECONNREFUSED")
    })
  )

  it.scopedLive("sweeps a connection whose answer had begun before and kept it alive", () =>
    Effect.gen(function* () {
      const { agent, began, closed, drain, finish, url } = yield* serving
      const request = yield* Effect.fork(get(url, agent))
      yield* began
      yield* drain.stopAccepting
      yield* finish
      const { body, headers } = yield* Fiber.join(request)
      assert.deepInclude(
        { body, connection: headers.connection },
        {
          body: "begun, done",
          connection: "keep-alive"
        }
      )
      const begin = performance.now()
      yield* closed
      // Node itself would keep it for 5 seconds.
      assert.isBelow(performance.now() - begin, 2000)
    })
  )

  it.scopedLive("counts a request as ended when its client has gone", () =>
    Effect.gen(function* () {
      const { began, drain, url } = yield* serving
      const request = yield* Effect.fork(get(url))
      yield* began
      yield* Fiber.interrupt(request)
      yield* drain.answered
      assert.strictEqual(drain.pending(), 0)
    })
  )

  it.scopedLive("cuts off what is left", () =>
    Effect.gen(function* () {
      const { began, drain, url } = yield* serving
      const request = yield* Effect.fork(Effect.flip(get(url)))
      yield* began
      yield* drain.cutOff
      assert.strictEqual((yield* Fiber.join(request))._tag, "NoAnswer")
      yield* drain.answered
    })
  )
})
