/**
 * A session beside the database that is worked for: databases are made, renamed and dropped from
 * another one.
 *
 * @internal
 */
import { Effect, Option, type Scope } from "effect"
import type { BackupError } from "../../BackupError.js"
import type { PostgresError } from "../../../Postgres/PostgresError.js"
import * as Failure from "./Failure.js"
import type { Session } from "./Session.js"
import * as Sessions from "./Session.js"
import type { Target } from "./Target.js"

export interface Maintenance {
  readonly session: Session
  readonly database: string
}

/**
 * In `postgres`, or where that is missing or closed to this user, in `template1`. None where neither
 * lets it in: then nothing can be made, and what there is can only be changed in place.
 */
export const open = (
  target: Target,
  database: string
): Effect.Effect<Option.Option<Maintenance>, BackupError, Scope.Scope> => {
  const candidates = ["postgres", "template1"].filter((name) => name !== database)
  return Effect.reduce(candidates, Option.none<Maintenance>(), (found, name) =>
    Option.isSome(found)
      ? Effect.succeed(found)
      : Sessions.connect(target, name).pipe(
          Effect.map((session) => Option.some({ session, database: name })),
          Effect.catchIf(isClosed, () => Effect.succeed(Option.none())),
          Effect.mapError(Failure.fromPostgres(target))
        )
  )
}

/** A session of its own, for what must happen after another one was broken off. */
export const again = (
  target: Target,
  { database }: Maintenance
): Effect.Effect<Session, BackupError, Scope.Scope> => Sessions.open(target, database)

const isClosed = (error: PostgresError): boolean =>
  error.reason === "DatabaseMissing" || error.code === "28000" || error.code === "42501"
