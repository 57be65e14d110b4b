/**
 * Room on the server's disk, which for a while holds the database twice.
 *
 * @internal
 */
import { Effect, Option, Schema, type Scope } from "effect"
import * as DiskSpace from "../../../System/DiskSpace.js"
import type { BackupError } from "../../BackupError.js"
import type { Payload } from "../Strategy.js"
import * as Failure from "./Failure.js"
import * as Maintenances from "./Maintenance.js"
import * as Sessions from "./Session.js"
import type { Target } from "./Target.js"
import * as Format from "../../../Common/Format.js"

/**
 * Fails with `DiskFull` where there is certainly too little. Otherwise what is worth knowing: how much
 * it takes, where it cannot be seen whether there is as much.
 */
export const look = (
  target: Target,
  database: string,
  { dump }: Payload
): Effect.Effect<ReadonlyArray<string>, BackupError> =>
  Effect.gen(function* () {
    if (dump === undefined) return []
    const free = yield* freeOf(target, database)
    const needed = Format.bytes(dump.contentBytes)
    if (free === undefined) {
      return [
        `The server's disk needs about ${needed} for it beside what is there now, and as much again for its log (WAL); how much is free cannot be seen from here`
      ]
    }
    if (free >= dump.contentBytes) return []
    return yield* Failure.make(target, {
      reason: "DiskFull",
      expected: `about ${needed} free on the server's disk, for the database beside what is there now`,
      found: Format.bytes(free),
      advice: "Free some space there, for example of databases that earlier restores set aside"
    })
  }).pipe(Effect.scoped)

/** Where the server is on this machine, and says where its files are, which not everybody is told. */
const freeOf = (
  target: Target,
  database: string
): Effect.Effect<number | undefined, BackupError, Scope.Scope> =>
  Effect.gen(function* () {
    if (target.url.socketDir === undefined && !isLoopback(target.url.host)) return undefined
    const reached = yield* Maintenances.open(target, database)
    const session = Option.isSome(reached) ? reached.value.session : yield* Sessions.open(target)
    const [row] = yield* session.rows(Row, sql, [database])
    if (row === undefined) return undefined
    return yield* Effect.tryPromise(() => DiskSpace.look(row.directory)).pipe(
      Effect.map(({ space }) => space?.freeBytes),
      Effect.orElseSucceed(() => undefined)
    )
  })

const isLoopback = (host: string): boolean =>
  /^(localhost|127\.\d+\.\d+\.\d+|::1|\[::1\])$/.test(host)

const Row = Schema.Struct({ directory: Schema.String })

/** None where the database lies in another tablespace. */
const sql = `SELECT s.setting AS directory FROM pg_settings s
  WHERE s.name = 'data_directory' AND NOT EXISTS (
    SELECT FROM pg_database d JOIN pg_tablespace t ON t.oid = d.dattablespace
    WHERE d.datname = $1 AND t.spcname <> 'pg_default')`
