/**
 * Backups of a PostgreSQL database, with the server's own pg_dump and pg_restore.
 *
 * A dump is of one snapshot, in which the rows of every table are counted as well. A restore goes
 * into a new database that is compared with these counts before it takes the old one's name.
 */
import { CommandExecutor } from "@effect/platform/CommandExecutor"
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Context, Duration, Effect, Layer, Option, Scope } from "effect"
import * as DatabaseUrl from "../../Common/DatabaseUrl.js"
import * as Secrets from "../../Common/Secrets.js"
import type { BackupError } from "../BackupError.js"
import * as Conninfo from "./Postgres/Conninfo.js"
import * as Drill from "./Postgres/Drill.js"
import * as Dump from "./Postgres/Dump.js"
import * as Failure from "./Postgres/Failure.js"
import * as Globals from "./Postgres/Globals.js"
import * as Kept from "./Postgres/Kept.js"
import * as Maintenance from "./Postgres/Maintenance.js"
import * as Properties from "./Postgres/Properties.js"
import * as Restore from "./Postgres/Restore.js"
import * as Rights from "./Postgres/Rights.js"
import * as FreeSpace from "./Postgres/FreeSpace.js"
import * as Server from "./Postgres/Server.js"
import * as Session from "./Postgres/Session.js"
import * as SetAside from "./Postgres/SetAside.js"
import * as SystemIdentifier from "./Postgres/SystemIdentifier.js"
import type { Target } from "./Postgres/Target.js"
import * as Verify from "./Postgres/Verify.js"
import {
  BackupStrategy,
  type HoldOptions,
  type Payload,
  type Present,
  type Strategy
} from "./Strategy.js"

export interface Options {
  /**
   * How many tables are dumped, read back and restored at a time. With more than one a backup is a
   * directory, and takes a connection for each.
   */
  readonly jobs?: number | undefined
  /** Of compression: 1, the fastest, by default. */
  readonly level?: number | undefined
  /** How long to wait for tables that others have locked: a minute by default. */
  readonly lockWait?: Duration.DurationInput | undefined
  /** Where pg_dump and pg_restore are, instead of the usual places. */
  readonly toolDirectories?: ReadonlyArray<string> | undefined
}

/** A strategy for the database at a URL. Nothing is connected before it is used. */
export const make = (
  url: DatabaseUrl.Postgres,
  options: Options = {}
): Effect.Effect<Strategy, never, CommandExecutor | FileSystem | Path> =>
  Effect.map(Effect.context<CommandExecutor | FileSystem | Path>(), (given) => {
    // Not the scope in which the strategy is made: each piece of work has its own.
    const context = Context.pick(CommandExecutor, FileSystem, Path)(given)
    const target = targetOf(url, options)
    const name = Effect.map(facts(target), ({ database }) => database)
    const database = url.database === undefined ? name : Effect.succeed(url.database)
    const dump: Strategy["dump"] = (wanted) => Effect.provide(Dump.dump(target, wanted), context)
    const hold = (payload: Payload, wanted: HoldOptions) =>
      Effect.flatMap(database, (known) =>
        Effect.provide(Restore.hold(target, known, payload, wanted), context)
      )
    return {
      engine: "postgresql",
      extension: () => "dump",
      database: Effect.map(database, (known) => ({
        engine: "postgresql",
        name: known,
        location: target.address
      })),
      identity: Effect.flatMap(
        Effect.orElseSucceed(database, () => ""),
        (known) => SystemIdentifier.ofServer(target, known)
      ),
      present: present(target),
      // A database of dead rows and indexes has a small dump, one of compressed values a large one.
      estimate: Effect.as(facts(target), 0),
      dump,
      globals: (file) => Effect.provide(Globals.write(target, file), context),
      verify: (payload, wanted) => Effect.provide(Verify.verify(target, payload, wanted), context),
      drill: (payload, wanted) =>
        Effect.flatMap(database, (known) =>
          Effect.provide(Drill.drill(target, known, payload, wanted), context)
        ),
      rehearse: (payload) =>
        Effect.flatMap(database, (known) =>
          Effect.provide(Drill.rehearse(target, known, payload), context)
        ),
      room: (payload) =>
        Effect.flatMap(database, (known) =>
          Effect.zipWith(
            FreeSpace.look(target, known, payload),
            Rights.risks(target, known),
            (room, risks) => [...risks, ...room]
          )
        ),
      restore: (payload, wanted) =>
        hold(payload, wanted).pipe(
          Effect.flatMap(({ restore }) => restore),
          Effect.provide(context),
          Effect.scoped
        ),
      hold: (payload, wanted) =>
        Effect.flatMap(Effect.scope, (scope) =>
          Effect.map(hold(payload, wanted), ({ restore, staysAside }) => ({
            dump,
            restore: restore.pipe(Effect.provide(context), Scope.extend(scope)),
            staysAside
          }))
        ),
      setAside: Effect.flatMap(database, (known) => SetAside.list(target, known)),
      dropSetAside: (aside) =>
        Effect.flatMap(database, (known) => SetAside.drop(target, known, aside))
    } satisfies Strategy
  })

/**
 * @example
 * import { NodeContext } from "@effect/platform-node"
 * import { Effect, Layer } from "effect"
 * import { DatabaseUrl } from "holter"
 * import * as Postgres from "holter/backup/Postgres"
 *
 * const url = DatabaseUrl.parse("postgresql://bot:secret@localhost/bot")
 *
 * // A directory of parts, dumped and restored two at a time.
 * Layer.unwrapEffect(
 *   Effect.map(url, (parsed) =>
 *     parsed._tag === "Postgres"
 *       ? Postgres.layer(parsed, { jobs: 2 })
 *       : Layer.die("no URL of PostgreSQL")
 *   )
 * ).pipe(Layer.provide(NodeContext.layer))
 */
export const layer = (
  url: DatabaseUrl.Postgres,
  options?: Options
): Layer.Layer<BackupStrategy, never, CommandExecutor | FileSystem | Path> =>
  Layer.effect(BackupStrategy, make(url, options))

const targetOf = (url: DatabaseUrl.Postgres, options: Options): Target => ({
  url,
  address: DatabaseUrl.address(url),
  secrets: Secrets.fromConfig({ password: url.password, url: DatabaseUrl.format(url) }),
  jobs: Math.max(1, Math.floor(options.jobs ?? 1)),
  level: options.level ?? 1,
  lockWait: Duration.decode(options.lockWait ?? "1 minute"),
  acquireTimeout: Duration.seconds(Conninfo.connectSeconds(url)),
  toolDirectories: options.toolDirectories
})

const facts = (target: Target) => Effect.scoped(Effect.flatMap(Session.open(target), Server.facts))

const present = (target: Target): Effect.Effect<Present, BackupError> =>
  Session.connect(target).pipe(
    Effect.mapError((error) => ({ error, known: Failure.fromPostgres(target)(error) })),
    Effect.flatMap((session) =>
      Effect.mapBoth(Effect.all([Server.facts(session), Kept.find(session)]), {
        onSuccess: ([{ bytes }, kept]): Present => ({
          _tag: "Readable",
          bytes,
          ...(kept.length === 0 ? {} : { journal: kept.map(Kept.named) })
        }),
        onFailure: (known) => ({ error: undefined, known })
      })
    ),
    Effect.catchAll(({ error, known }): Effect.Effect<Present, BackupError, Scope.Scope> => {
      if (known.reason === "Damaged") {
        return Effect.succeed({ _tag: "Damaged", found: known.found })
      }
      return error?.reason === "DatabaseMissing" ? absent(target) : Effect.fail(known)
    }),
    Effect.scoped
  )

/** The login was right, or the server would not tell. It says the same where only the files are gone. */
const absent = (target: Target): Effect.Effect<Present, BackupError, Scope.Scope> =>
  Effect.gen(function* () {
    const name = target.url.database ?? target.url.user ?? ""
    const beside = yield* Maintenance.open(target, name)
    const known = Option.isSome(beside)
      ? yield* Properties.read(beside.value.session, name)
      : undefined
    return known === undefined
      ? { _tag: "Absent" }
      : { _tag: "Damaged", found: "a database without its files" }
  })
