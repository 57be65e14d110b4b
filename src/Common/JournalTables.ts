/**
 * How the tables of a journal are called: a restore tells them by that from those of the program, whose
 * database they may lie in. Pure.
 *
 * @internal
 */

/** With what each begins. */
export const prefix = "holter_"

/** Where the migrator notes what it did: there is no journal without it. */
export const migrations = "holter_migrations"

/** @internal */
export const isOne = (name: string): boolean => name.startsWith(prefix)

/** Those among the tables of one schema. */
export const among = (names: ReadonlyArray<string>): ReadonlyArray<string> =>
  names.includes(migrations) ? names.filter(isOne) : []
