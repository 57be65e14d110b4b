/** A bot's services for the command line: doubles, a database, and the variables that name them. */
import Sqlite from "better-sqlite3"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import * as path from "node:path"
import * as Cli from "../support/Cli.js"
import * as DMarketDouble from "../support/DMarketDouble.js"
import * as TelegramDouble from "../support/TelegramDouble.js"
import * as TempDir from "../support/TempDir.js"

/** Telegram and DMarket in child processes, an SQLite file; all healthy, Redis not configured. */
export const make = Effect.gen(function* () {
  const telegram = yield* TelegramDouble.makeProcess()
  const dmarket = yield* DMarketDouble.makeProcess({ usd: 100 })
  const env = {
    HOLTER_NAME: "DMarket Bot",
    ...telegramEnv(telegram),
    ...dmarketEnv(dmarket),
    DATABASE_URL: yield* sqlite
  }
  return { telegram, dmarket, env }
})

export const telegramEnv = (telegram: TelegramDouble.TelegramDouble) => ({
  TELEGRAM_BOT_TOKEN: telegram.token,
  TELEGRAM_API_URL: telegram.url,
  ADMIN_TELEGRAM_CHAT_ID: telegram.chatId
})

export const dmarketEnv = (dmarket: DMarketDouble.DMarketDouble) => ({
  DMARKET_API_URL: dmarket.url,
  DMARKET_PUBLIC_KEY: dmarket.keys.publicKey,
  DMARKET_SECRET_KEY: dmarket.keys.secret128
})

/** The URL of a database with a table. */
export const sqlite = Effect.gen(function* () {
  const file = path.join(yield* TempDir.make("bot"), "bot.db")
  yield* Effect.sync(() => {
    const database = new Sqlite(file)
    database.exec("CREATE TABLE users (id INTEGER PRIMARY KEY)")
    database.close()
  })
  return `sqlite:///${file}`
})

export interface Service {
  readonly status: string
  readonly response_time_ms: number | null
  readonly message: string
  readonly last_check: string | null
  readonly details: Readonly<Record<string, unknown>>
}

export interface Summary {
  readonly overall_status: string
  readonly timestamp: string
  readonly services: Readonly<Record<string, Service>>
  readonly failure_counts: Readonly<Record<string, number>>
  readonly success_counts: Readonly<Record<string, number>>
}

/** The whole of standard output as one JSON document; what fails to parse fails the test. */
export const summaryOf = (result: Cli.CliResult): Summary => {
  if (result.stdout === "") throw new Error(`nothing on stdout (${result.code}): ${result.stderr}`)
  return JSON.parse(result.stdout) as Summary
}

/** `service: status` for each service. */
export const statusesOf = (result: Cli.CliResult): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(summaryOf(result).services).map(([name, { status }]) => [name, status])
  )

export const readJson = (file: string): unknown => JSON.parse(readFileSync(file, "utf8"))
