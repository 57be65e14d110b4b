/**
 * What `holter watch` checks and whom it tells: services that are up or down, and a receiver of
 * webhooks that takes, refuses, or never answers. Both note what they saw, in one order.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AlertDocument } from "../../../src/Alert/AlertDocument.js"
import { ServerError } from "../../support/ServerError.js"

/** `hang`: taken, and no answer ever; `late`: after whoever asked has given up. */
export type Mode = "ok" | "500" | "hang" | "late" | "refuse"

export interface Received {
  readonly at: number
  readonly key: string
  readonly alert: AlertDocument
  /** Whether the sender knows that it was taken. */
  readonly isClear: boolean
  /** Whether the receiver counts it as taken. */
  readonly isTaken: boolean
}

export interface Probed {
  readonly at: number
  readonly service: string
  readonly isUp: boolean
}

export interface World {
  readonly url: string
  readonly hook: (mode: Mode) => Effect.Effect<void>
  readonly up: (service: string) => Effect.Effect<void>
  readonly down: (service: string) => Effect.Effect<void>
  readonly received: () => ReadonlyArray<Received>
  readonly probed: () => ReadonlyArray<Probed>
  /** Waits until what was received and probed is as it is asked for. */
  readonly until: (what: string, is: (world: World) => boolean) => Effect.Effect<void, ServerError>
}

const longest = 75_000
const late = 1_500

export const make: Effect.Effect<World, never, Scope.Scope> = Effect.gen(function* () {
  const received: Array<Received> = []
  const probed: Array<Probed> = []
  const fallen = new Set<string>()
  const waiting = new Set<() => void>()
  let mode: Mode = "ok"
  const news = () => {
    for (const look of waiting) look()
  }

  const take = (body: string, response: ServerResponse) => {
    const now = mode
    const alert = JSON.parse(body) as AlertDocument
    const isTaken = now === "ok" || now === "hang" || now === "late"
    received.push({
      ...{ at: Date.now(), key: alert.key, alert },
      ...{ isTaken, isClear: now === "ok" || now === "500" }
    })
    if (now === "ok") response.end("taken")
    if (now === "500") response.writeHead(500).end()
    // eslint-disable-next-line no-restricted-syntax -- the receiver answers late
    if (now === "late") setTimeout(() => response.end("taken"), late).unref()
    news()
  }

  const answer = (request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? ""
    if (path.startsWith("/hook")) {
      if (mode === "refuse") {
        request.socket.destroy()
        return
      }
      const chunks: Array<Buffer> = []
      request.on("data", (chunk: Buffer) => chunks.push(chunk))
      request.on("end", () => {
        take(Buffer.concat(chunks).toString("utf8"), response)
      })
      return
    }
    const service = path.slice(1)
    const isUp = !fallen.has(service)
    probed.push({ at: Date.now(), service, isUp })
    response.writeHead(isUp ? 200 : 500).end()
    news()
  }

  const server = yield* Effect.acquireRelease(
    Effect.async<ReturnType<typeof createServer>>((resume) => {
      const made = createServer(answer)
      made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
    }),
    (made) =>
      Effect.async<void>((resume) => {
        made.closeAllConnections()
        made.close(() => resume(Effect.void))
      })
  )
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0

  const world: World = {
    url: `http://127.0.0.1:${port}`,
    hook: (next) => Effect.sync(() => void (mode = next)),
    up: (service) => Effect.sync(() => void fallen.delete(service)),
    down: (service) => Effect.sync(() => void fallen.add(service)),
    received: () => received,
    probed: () => probed,
    until: (what, is) =>
      Effect.async<void, ServerError>((resume) => {
        const look = () => {
          if (is(world)) end(Effect.void)
        }
        // eslint-disable-next-line no-restricted-syntax -- a limit for what never comes
        const timer = setTimeout(() => end(tooLong(what)), longest)
        const end = (result: Effect.Effect<void, ServerError>) => {
          clearTimeout(timer)
          waiting.delete(look)
          resume(result)
        }
        waiting.add(look)
        look()
        return Effect.sync(() => {
          clearTimeout(timer)
          waiting.delete(look)
        })
      })
  }
  return world
})

const tooLong = (what: string) =>
  Effect.fail(new ServerError({ server: "world", operation: "wait", detail: `for ${what}` }))
