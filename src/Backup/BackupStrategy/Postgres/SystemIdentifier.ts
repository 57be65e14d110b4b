/**
 * What tells a server's cluster from each other one: the number that initdb gave it. Ordinary roles
 * may read it; some managed servers hide it.
 *
 * @internal
 */
import { Effect, Option, Schema } from "effect"
import type * as Manifest from "../../Manifest.js"
import * as Maintenance from "./Maintenance.js"
import * as Session from "./Session.js"
import type { Target } from "./Target.js"

const Allowed = Schema.Struct({ allowed: Schema.NullOr(Schema.Boolean) })
const Identifier = Schema.Struct({ id: Schema.String })

/** Undefined where it is hidden. Asked before it is read: no error in the server's log each night. */
export const read = (session: Session.Reader): Effect.Effect<string | undefined> =>
  Effect.gen(function* () {
    const [right] = yield* session.rows(
      Allowed,
      `SELECT pg_catalog.has_function_privilege(
        pg_catalog.to_regprocedure('pg_catalog.pg_control_system()'), 'EXECUTE') AS allowed`
    )
    if (right?.allowed !== true) return undefined
    const [row] = yield* session.rows(
      Identifier,
      "SELECT system_identifier::text AS id FROM pg_catalog.pg_control_system()"
    )
    return row?.id
  }).pipe(Effect.orElseSucceed(() => undefined))

/** Of the server at hand, be the database there or not. Undefined where it does not answer. */
export const ofServer = (
  target: Target,
  database: string
): Effect.Effect<Manifest.Identity | undefined> =>
  Session.open(target).pipe(
    Effect.map(Option.some),
    Effect.catchIf(
      ({ reason }) => reason === "Missing" || reason === "Damaged",
      () =>
        Effect.map(
          Maintenance.open(target, database),
          Option.map(({ session }) => session)
        )
    ),
    Effect.orElseSucceed(Option.none<Session.Session>),
    Effect.flatMap(
      Option.match({ onNone: () => Effect.succeed(undefined), onSome: (session) => read(session) })
    ),
    Effect.map((id) => (id === undefined ? undefined : { id })),
    Effect.scoped
  )
