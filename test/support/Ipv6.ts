/** The loopback address of IPv6, which containers often lack. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as http from "node:http"
import type { AddressInfo } from "node:net"
import { networkInterfaces } from "node:os"
import { fromUnknown, type ServerError } from "./ServerError.js"

export const hasLoopback: boolean = Object.values(networkInterfaces())
  .flat()
  .some((address) => address?.address === "::1")

/** The port of a server on ::1 that answers every request with 200; where there is no ::1, on none. */
export const server: Effect.Effect<number, ServerError, Scope.Scope> = Effect.acquireRelease(
  Effect.async<http.Server, ServerError>((resume) => {
    const listening = http.createServer((_, response) => response.end("up"))
    listening.once("error", (cause) => resume(Effect.fail(fromUnknown("ipv6", "listen")(cause))))
    listening.listen(0, hasLoopback ? "::1" : "127.0.0.1", () => resume(Effect.succeed(listening)))
  }),
  (listening) =>
    Effect.async<void>((resume) => {
      listening.close(() => resume(Effect.void))
      listening.closeAllConnections()
    })
).pipe(Effect.map((listening) => (listening.address() as AddressInfo).port))
