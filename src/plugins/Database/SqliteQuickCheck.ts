/**
 * `PRAGMA quick_check`, told apart: damage fails, everything else that it reports is a note. Rows that
 * break a rule of their table are the program's affair, a virtual table's own report may only mean that
 * another version of SQLite wrote it, and what SQLite cannot check without the program's functions is
 * left to the program.
 *
 * @internal
 */
import { Effect } from "effect"
import * as Integrity from "../../Common/SqliteIntegrity.js"
import type { Session } from "./DatabaseClient.js"
import { DatabaseError } from "./DatabaseError.js"

/** What is no damage; none where SQLite says `ok`. */
export const quickCheck = (
  { query }: Session,
  address: string
): Effect.Effect<ReadonlyArray<string>, DatabaseError> =>
  Effect.gen(function* () {
    const check = (limit: string) =>
      Effect.map(query(`PRAGMA quick_check(${limit})`), (rows) =>
        rows.flatMap((row) => Object.values(row).map(String)).filter((line) => line !== "ok")
      )
    const checkTable = (name: string) => recovered(name, check(Integrity.quoted(name)))
    const whole = yield* Effect.catchIf(check(most), isBeyond, () =>
      Effect.flatMap(query(Integrity.tablesSql), (tables) =>
        Effect.map(
          Effect.forEach(tables, ({ name }) => checkTable(String(name))),
          (found) => found.flat()
        )
      )
    )
    if (whole.length === 0) return []
    const virtual = (yield* query(Integrity.virtualTablesSql)).map(({ name, sql }) =>
      Integrity.virtualTable(String(name), String(sql))
    )
    const own = new Map<string, string>()
    for (const table of virtual) {
      for (const line of yield* checkTable(table.name)) {
        own.set(line, Integrity.ownReport(table, line))
      }
    }
    const damage = whole.find((line) => !own.has(line) && !isKept(line))
    if (damage !== undefined) {
      return yield* new DatabaseError({ reason: "Corrupt", address, found: damage })
    }
    return [...new Set(whole.map((line) => own.get(line) ?? line))].slice(0, told)
  })

const isKept = (line: string): boolean => Integrity.isViolation(line) || Integrity.isUnchecked(line)

/** The schema calls what only the program has, or a virtual table is not as its module wants it. */
const isBeyond = ({ found, reason }: DatabaseError): boolean =>
  reason === "QueryFailed" || found === "SQLITE_CORRUPT_VTAB"

const recovered = (
  name: string,
  check: Effect.Effect<ReadonlyArray<string>, DatabaseError>
): Effect.Effect<ReadonlyArray<string>, DatabaseError> =>
  Effect.catchIf(check, isBeyond, ({ cause, found }) =>
    Effect.succeed([Integrity.unchecked(name, cause instanceof Error ? cause.message : found)])
  )

/** Damage of b-trees comes before all else. */
const most = "1000"
const told = 5
