/**
 * What is said of backups that carry the name of the database at hand and do not rotate with its own.
 * Pure.
 */
import { Option } from "effect"
import type { Stored } from "../Store.js"
import { describe, isKnown, judge, placeOf, type Verdict } from "../DatabaseIdentity.js"
import type * as Manifest from "../Manifest.js"
import type * as Retention from "../Retention.js"

/**
 * Said with the first backup of a database, and with each one of a database that does not tell what it
 * is: of those nothing is ever removed, and the disk fills.
 *
 * @internal
 */
export const notes = (
  /** Without the new one. */
  before: ReadonlyArray<Stored>,
  { app, database }: Retention.Subject
): ReadonlyArray<string> => {
  const of = (verdict: Verdict) =>
    before.flatMap(({ manifest, parsed }) =>
      Option.match(manifest, {
        onNone: () => [],
        onSome: ({ dump: { database: one } }) =>
          parsed.app === app &&
          one.name === database.name &&
          one.engine === database.engine &&
          one.location === database.location &&
          judge(one, database) === verdict
            ? [one]
            : []
      })
    )
  const what = `${database.name} at ${placeOf(database)}`
  const unknown = of("unknown").length
  if (!isKnown(database)) return unknown === 0 ? [] : [hidden(unknown, database)]
  if (of("same").length > 0) return []
  const [other, ...others] = of("other")
  return [
    ...(unknown === 0
      ? []
      : [
          `${many(unknown)} of ${what} may be of another database, so they stay (an older Holter made them, or this one before a restart of the system); remove them by hand once they are no longer needed`
        ]),
    ...(other === undefined
      ? []
      : [
          `${many(others.length + 1)} of another ${what} stay (${describe(other)}); if its server was rebuilt or its disk replaced, remove them by hand once they are no longer needed`
        ])
  ]
}

const hidden = (count: number, { engine, name }: Manifest.Database): string =>
  `${name} does not tell which database it is, so none of its ${count} older backups is removed: ${
    engine === "postgresql"
      ? "GRANT EXECUTE ON FUNCTION pg_control_system() TO the role of the URL, or "
      : ""
  }give it a name of its own (backup.identity)`

const many = (count: number): string => (count === 1 ? "1 backup" : `${count} backups`)
