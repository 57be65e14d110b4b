/**
 * The `backup` section of the configuration file.
 */
import { DateTime, Either, Option, Schema } from "effect"
import * as Expression from "../../Backup/BackupSchedule/Expression.js"
import type { ConfigIssue } from "../../Plugin/ConfigIssue.js"
import * as ConfigField from "../../Plugin/ConfigField.js"
import type * as Decoder from "../../Plugin/Decoder.js"
import * as DatabaseUrl from "../../Common/DatabaseUrl.js"
import * as Section from "../Section.js"
import * as Database from "./Database.js"

const text = Schema.NonEmptyTrimmedString

const cron = Schema.String.pipe(
  Schema.filter((text) => Either.isRight(Expression.parse(text)), {
    description: 'a cron expression such as "0 3 * * *" that names a time which comes'
  })
)

const keptOf = (unit: string) =>
  Schema.optional(
    Schema.NonNegativeInt.annotations({
      description: `how many ${unit} backups to keep beside the last ones: a whole number`
    })
  )

const Place = Schema.Struct({
  type: Schema.Literal("directory").annotations({ description: '"directory"' }),
  path: text.annotations({ description: "a directory, such as one of a mounted disk" })
})

export const BackupSection = Schema.Struct({
  url: Schema.optional(
    ConfigField.secret.annotations({
      description: `the database's URL (DATABASE_URL where it is left out): ${DatabaseUrl.supported}`
    })
  ),
  app: Schema.optional(
    Schema.String.pipe(
      Schema.pattern(/^[a-z0-9]+(?:[_-][a-z0-9]+)*$/, {
        description:
          "the first part of the names of backups: lower-case letters, digits, single _ or - between them"
      })
    )
  ),
  host: Schema.optional(
    text.annotations({
      description:
        "the name of this machine in manifests (its host name by default): for containers, whose name is another one at each start"
    })
  ),
  identity: Schema.optional(
    text.annotations({
      description:
        "what this database is called where its server does not tell: no other database with backups in the directory has the same"
    })
  ),
  directory: Schema.optional(
    text.annotations({ description: "where backups lie, relative to the working directory" })
  ),
  mounted: Schema.optional(
    Schema.Boolean.annotations({
      description:
        "true where the directory is on a mounted disk: nothing is written without the file .holter-store in it"
    })
  ),
  keep: Schema.optional(
    ConfigField.count.annotations({
      description: "how many of the last backups to keep (default 7)"
    })
  ),
  daily: keptOf("daily"),
  weekly: keptOf("weekly"),
  monthly: keptOf("monthly"),
  yearly: keptOf("yearly"),
  compress: Schema.optional(
    Schema.Literal("gzip", "zstd", "none").annotations({
      description: '"gzip" (the default), "zstd" (Node 22.15 or newer) or "none"'
    })
  ),
  level: Schema.optional(
    Schema.Int.pipe(
      Schema.between(1, 22, {
        description: "how hard to compress: a whole number from 1 to 9, with zstd to 22"
      })
    )
  ),
  copy: Schema.optional(
    Schema.Literal("vacuum", "frozen", "auto").annotations({
      description:
        'how SQLite is copied: "vacuum" (compact, the default), "frozen" (WAL mode, at the speed of the disk) or "auto" (frozen in WAL mode)'
    })
  ),
  jobs: Schema.optional(
    ConfigField.count.annotations({
      description: "PostgreSQL: how many tables are dumped at once; above 1 a backup is a directory"
    })
  ),
  ignoreTables: Schema.optional(
    Schema.Array(text).annotations({
      description:
        "tables that may lose all their rows without an alarm, as queues do: names such as queue, public.queue or queue_*"
    })
  ),
  globals: Schema.optional(
    Schema.Boolean.annotations({
      description:
        "PostgreSQL: true saves the roles and tablespaces of the server with each backup, without passwords"
    })
  ),
  schedule: Schema.optional(cron),
  drill: Schema.optional(cron),
  timeZone: Schema.optional(
    Schema.String.pipe(
      Schema.filter((name) => Option.isSome(DateTime.zoneFromString(name)), {
        description: 'a time zone such as "UTC" or "Europe/Berlin"'
      })
    )
  ),
  stores: Schema.optional(Schema.Array(Place))
})

export type BackupSection = typeof BackupSection.Type

/** The section, or everything that is wrong in it, by its path in the file. */
export const decode = (
  content: unknown,
  reading: Section.Reading,
  strategies: Database.Strategies
): Decoder.Checked<BackupSection> =>
  Section.decodeAt(BackupSection, ["backup"], reading, (given) => [
    ...urlIssues(given["url"], strategies),
    ...globalsIssues(given),
    ...levelIssues(given)
  ])(content ?? {})

/** A schema says what it expects; the parser knows which part of a URL is wrong, and shows none. */
const urlIssues = (url: unknown, strategies: Database.Strategies): ReadonlyArray<ConfigIssue> =>
  typeof url !== "string"
    ? []
    : Either.match(Database.parse(url, strategies), {
        onLeft: ({ expected, found, part }) => [
          { path: ["url"], expected: `a database URL (${part}): ${expected}`, found }
        ],
        onRight: () => []
      })

const globalsIssues = ({
  globals,
  url
}: Readonly<Record<string, unknown>>): ReadonlyArray<ConfigIssue> =>
  globals === true &&
  typeof url === "string" &&
  Either.getOrNull(DatabaseUrl.parse(url))?._tag === "Sqlite"
    ? [noGlobals(["globals"])]
    : []

/** What is said of `globals: true` beside a database without a server. */
export const noGlobals = (path: ReadonlyArray<string>): ConfigIssue => ({
  path: [...path],
  expected: "globals of a PostgreSQL database: roles and tablespaces of its server",
  found: "true, for a SQLite database, which has no server: leave it out"
})

const levelIssues = ({
  compress = "gzip",
  level
}: Readonly<Record<string, unknown>>): ReadonlyArray<ConfigIssue> =>
  typeof level === "number" && level > 9 && compress === "gzip"
    ? [{ path: ["level"], expected: "a level of gzip, from 1 to 9", found: String(level) }]
    : []
