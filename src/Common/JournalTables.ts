/**
 * How the tables of a journal are called: a restore tells them by that from those of the program, whose
 * database they may lie in. By their whole names, since a program may call tables of its own likewise. Pure.
 *
 * @internal
 */

/** Where the migrator notes what it did: there is no journal without it. */
export const migrations = "holter_migrations"

/** Those that the migrations of the journal make. */
export const tables: ReadonlyArray<string> = [
  migrations,
  "holter_results",
  "holter_events",
  "holter_decisions",
  "holter_incidents",
  "holter_outbox",
  "holter_state",
  "holter_requests",
  "holter_verdicts",
  "holter_deliveries",
  "holter_channels",
  "holter_requests_aside",
  "holter_lease"
]

export const indexes: ReadonlyArray<string> = [
  "holter_results_service",
  "holter_results_at",
  "holter_events_at",
  "holter_decisions_service",
  "holter_decisions_at",
  "holter_incidents_opened",
  "holter_deliveries_at"
]

export const isOne = (name: string): boolean => tables.includes(name)

/** Those among the tables of one schema. */
export const among = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.includes(migrations) ? names.filter(isOne) : []
