/**
 * Where hosts were found, for those who must reach them also when no name server answers: an alert
 * goes out while DNS is down.
 *
 * @internal
 */
import { Duration, Effect, Schedule } from "effect"
import { isIP } from "node:net"
import * as InTurn from "../InTurn.js"
import { type Addresses, lookUp } from "./NameLookup.js"
import type { SocketError } from "./SocketError.js"

/** Is waited for before the address of before is taken. */
const patience = Duration.millis(1500)

export class KnownAddresses {
  private readonly found = new Map<string, Addresses>()

  /** Looks these hosts up, again and again. */
  refresh(hosts: ReadonlyArray<string>): Effect.Effect<void> {
    const once = Effect.forEach(
      hosts.filter((host) => isIP(host) === 0),
      (host) => Effect.ignore(this.orElse(host, lookUp(host, "4 seconds"))),
      { discard: true, concurrency: "unbounded" }
    )
    return Effect.asVoid(Effect.repeat(once, Schedule.spaced("1 minute")))
  }

  /** What is found now, or in time; otherwise what was found before. */
  orElse(
    host: string,
    lookUp: Effect.Effect<Addresses, SocketError>
  ): Effect.Effect<Addresses, SocketError> {
    const now = Effect.tap(lookUp, (addresses) =>
      Effect.sync(() => this.found.set(host, addresses))
    )
    return Effect.suspend(() => {
      const before = this.found.get(host)
      if (before === undefined) return now
      return InTurn.first([now, Effect.succeed(before)], (one) => one, patience).pipe(
        // Not reached: the second always succeeds.
        Effect.orElseSucceed(() => before)
      )
    })
  }
}
