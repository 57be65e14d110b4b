/**
 * Tells every subscriber, and waits for none: who is too slow loses the oldest, and that is counted.
 *
 * @internal
 */
import { Effect, Mailbox, Option, type Scope } from "effect"

export interface Broadcast<A> {
  readonly publish: (message: A) => void
  /** From now on, for as long as the scope is open. */
  readonly subscribe: Effect.Effect<Mailbox.ReadonlyMailbox<A>, never, Scope.Scope>
  /** Messages that were lost because a subscriber was too slow, over all subscribers. */
  readonly lost: () => number
}

export const make = <A>(capacity: number): Broadcast<A> => {
  const subscribers = new Set<Mailbox.Mailbox<A>>()
  let lost = 0
  const isFull = (mailbox: Mailbox.Mailbox<A>) =>
    Option.exists(mailbox.unsafeSize(), (size) => size >= capacity)

  return {
    publish: (message) => {
      for (const subscriber of subscribers) {
        if (isFull(subscriber)) lost++
        subscriber.unsafeOffer(message)
      }
    },
    subscribe: Effect.acquireRelease(
      Effect.tap(Mailbox.make<A>({ capacity, strategy: "sliding" }), (mailbox) =>
        Effect.sync(() => subscribers.add(mailbox))
      ),
      (mailbox) =>
        Effect.zipRight(
          Effect.sync(() => subscribers.delete(mailbox)),
          mailbox.shutdown
        )
    ),
    lost: () => lost
  }
}
