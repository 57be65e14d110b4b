/**
 * What waits in a mailbox, as the channel of a stream.
 *
 * @internal
 */
import { Channel, Chunk, type Mailbox, type Option } from "effect"

/**
 * One step for all messages that are there, and none where there is nothing of interest among them: a
 * `Stream.filter` and a `Stream.map` more are paid for with each message.
 */
export const picked = <A, B>(
  mailbox: Mailbox.ReadonlyMailbox<A>,
  pick: (message: A) => Option.Option<B>
): Channel.Channel<Chunk.Chunk<B>> => {
  const pump: Channel.Channel<Chunk.Chunk<B>> = Channel.flatMap(
    Channel.fromEffect(mailbox.takeAll),
    ([messages, done]) => {
      if (done) return Channel.void
      const found = Chunk.filterMap(messages, pick)
      return Chunk.isEmpty(found) ? pump : Channel.zipRight(Channel.write(found), pump)
    }
  )
  return pump
}
