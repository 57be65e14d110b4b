/** Who keeps a journal, as it says of itself. */
import { Effect, Either, Schema } from "effect"
import * as ProcessIdentity from "../../../System/ProcessIdentity.js"

/** A program that is to be the only one on its journal. */
export interface Holder {
  /** For who is refused because of it: `my-bot, process 12 on bot-1`. */
  readonly name: string
  /** What `isDead` needs to know of it, in a run to come. */
  readonly identity: string
  /** Whether the program that said this of itself is known to have ended. `false`: not known. */
  readonly isDead: (identity: string) => Effect.Effect<boolean>
}

/** This process, under a name for people. */
export const ofProcess = (name: string): Effect.Effect<Holder> =>
  Effect.map(ProcessIdentity.self, (me) => ({
    name: `${name}, process ${me.pid} on ${me.host}`,
    identity: encode(me),
    isDead: (identity) =>
      Either.match(decode(identity), {
        onLeft: () => Effect.succeed(false),
        onRight: (other) =>
          Effect.map(ProcessIdentity.stateOf(other, me), (state) => state === "dead")
      })
  }))

const Identity = Schema.parseJson(ProcessIdentity.ProcessIdentity)
const encode = Schema.encodeSync(Identity)
const decode = Schema.decodeEither(Identity)
