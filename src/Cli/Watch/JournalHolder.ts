/**
 * This process, as the one that keeps a journal: known by what its system tells of it, so that the
 * next one need not wait for a process that is dead.
 */
import { Effect, Either, Schema } from "effect"
import * as Owner from "../../Backup/BackupLock/Owner.js"
import type * as Journal from "../../Monitor/Journal.js"

const Identity = Schema.parseJson(Owner.Owner)
const encode = Schema.encodeSync(Identity)
const decode = Schema.decodeEither(Identity)

export const self: Effect.Effect<Journal.Holder> = Effect.map(Owner.self, (me) => ({
  name: `holter watch, process ${me.pid} on ${me.host}`,
  identity: encode(me),
  isDead: (identity) =>
    Either.match(decode(identity), {
      onLeft: () => Effect.succeed(false),
      onRight: (other) => Effect.map(Owner.stateOf(other, me), (state) => state === "dead")
    })
}))
