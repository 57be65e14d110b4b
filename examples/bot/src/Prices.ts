/** The bot's data: prices in SQLite, closed in the phase `database`. */
import { SqlClient, type SqlError } from "@effect/sql"
import { SqliteClient } from "@effect/sql-sqlite-node"
import { Config, Context, Effect, Layer, Schema } from "effect"
import { Lifecycle } from "holter"

export const Price = Schema.Struct({ item: Schema.String, cents: Schema.Int })

export class Prices extends Context.Tag("@acme/price-bot/Prices")<
  Prices,
  {
    readonly add: (price: typeof Price.Type) => Effect.Effect<void, SqlError.SqlError>
    readonly count: Effect.Effect<number, SqlError.SqlError>
  }
>() {}

export const databaseFile = Config.withDefault(Config.string("BOT_DATABASE"), "bot.db")

export const Database = SqliteClient.layerConfig({
  filename: databaseFile,
  // A statement that failed once is prepared anew after a few seconds, and not after ten minutes.
  prepareCacheTTL: Config.succeed("5 seconds")
}).pipe(Lifecycle.within("database", "sqlite"))

export const layer = Layer.effect(
  Prices,
  Effect.gen(function* () {
    const sql = yield* SqlClient.SqlClient
    yield* sql`CREATE TABLE IF NOT EXISTS prices (item TEXT NOT NULL, cents INTEGER NOT NULL)`
    return {
      add: (price) => Effect.asVoid(sql`INSERT INTO prices ${sql.insert(price)}`),
      count: Effect.map(
        sql<{ readonly count: number }>`SELECT count(*) AS count FROM prices`,
        ([row]) => row?.count ?? 0
      )
    }
  })
)
