/** The databases that are backed up: what a bot collects in some years. The same bytes in every run. */
import { Effect } from "effect"
import Database from "better-sqlite3"
import type { PostgresInstance } from "../../test/support/PostgresServer.js"
import type { ServerError } from "../../test/support/ServerError.js"

/** About 460 MB with `scale` 1: rows of text and JSON, six indexes, in WAL mode. */
export const fillSqlite = (file: string, scale: number): void => {
  const database = new Database(file)
  database.pragma("journal_mode = WAL")
  database.pragma("synchronous = OFF")
  database.exec(
    `CREATE TABLE items (id INTEGER PRIMARY KEY, title TEXT, game TEXT, price REAL, listed_at INTEGER, details TEXT);
     CREATE TABLE trades (id INTEGER PRIMARY KEY, item INTEGER, buyer TEXT, price REAL, at INTEGER, note TEXT)`
  )
  const random = mulberry32(20261126)
  const insertItem = database.prepare("INSERT INTO items VALUES (?, ?, ?, ?, ?, ?)")
  const insertTrade = database.prepare("INSERT INTO trades VALUES (?, ?, ?, ?, ?, ?)")
  const batch = database.transaction((from: number, to: number) => {
    for (let id = from; id < to; id++) {
      const price = Math.round(random() * 1e5) / 100
      insertItem.run(
        id,
        words(random, 6),
        pick(random, games),
        price,
        seconds(random),
        json(random)
      )
      insertTrade.run(id, id, hex(random), price, seconds(random), words(random, 14))
    }
  })
  const rows = Math.round(580_000 * scale)
  for (let from = 0; from < rows; from += 10_000) batch(from, Math.min(from + 10_000, rows))
  database.exec(
    `CREATE INDEX items_by_title ON items (title);
     CREATE INDEX items_by_price ON items (game, price);
     CREATE INDEX items_by_time ON items (listed_at);
     CREATE INDEX trades_by_item ON trades (item);
     CREATE INDEX trades_by_time ON trades (at);
     CREATE INDEX trades_by_buyer ON trades (buyer, at)`
  )
  database.pragma("wal_checkpoint(TRUNCATE)")
  database.close()
}

/** About 700 MB with `scale` 1. */
export const fillPostgres = (
  server: PostgresInstance,
  scale: number
): Effect.Effect<void, ServerError> =>
  Effect.gen(function* () {
    const admin = yield* server.session("admin")
    const rows = Math.round(1_050_000 * scale)
    yield* admin.query("SELECT setseed(0.42)")
    yield* admin.query(
      `CREATE TABLE items AS
       SELECT id, md5(random()::text) || ' ' || md5((id % 5000)::text) AS title,
         (ARRAY['cs2', 'dota2', 'rust', 'tf2'])[1 + id % 4] AS game, round((random() * 1000)::numeric, 2) AS price,
         now() - id * interval '1 minute' AS listed_at,
         jsonb_build_object('float', random(), 'stickers', jsonb_build_array(md5((id % 300)::text), id % 7),
           'inspect', 'steam://rungame/730/' || md5(random()::text), 'tradable', id % 3 = 0) AS details
       FROM generate_series(1, ${rows}) AS id`
    )
    yield* admin.query(
      `CREATE TABLE trades AS
       SELECT id, id AS item, md5((id % 9000)::text) AS buyer, round((random() * 1000)::numeric, 2) AS price,
         now() - id * interval '1 minute' AS at, repeat('paid by balance, ', 1 + id % 3) || md5(random()::text) AS note
       FROM generate_series(1, ${rows}) AS id`
    )
    yield* admin.query("ALTER TABLE items ADD PRIMARY KEY (id)")
    yield* admin.query("ALTER TABLE trades ADD PRIMARY KEY (id)")
    yield* admin.query("CREATE INDEX items_by_title ON items (title)")
    yield* admin.query("CREATE INDEX trades_by_buyer ON trades (buyer, at)")
    for (const table of ["items", "trades"]) {
      yield* admin.query(`ALTER TABLE ${table} OWNER TO "${server.user}"`)
    }
    yield* admin.query("CHECKPOINT")
  }).pipe(Effect.scoped)

const games = ["cs2", "dota2", "rust", "tf2"]
const weapons =
  "AK-47,AWP,M4A4,M4A1-S,Desert Eagle,USP-S,Glock-18,P250,MP9,MAC-10,UMP-45,Karambit,Bayonet,Butterfly Knife,Sport Gloves,Five-SeveN".split(
    ","
  )
const finishes =
  "Redline,Asiimov,Hyper Beast,Fade,Crimson Web,Case Hardened,Doppler,Marble Fade,Slaughter,Tiger Tooth,Safari Mesh,Boreal Forest,Blue Steel,Night,Stained,Vulcan,Neon Rider,Printstream".split(
    ","
  )
const wears = "Factory New,Minimal Wear,Field-Tested,Well-Worn,Battle-Scarred".split(",")
const vocabulary = [
  ..."factory new field tested minimal wear battle scarred well worn stattrak souvenir knife gloves".split(
    " "
  ),
  ..."rifle pistol case key sticker capsule graffiti agent patch doppler fade marble crimson web".split(
    " "
  ),
  ..."bought sold listed offer accepted declined expired target balance withdraw deposit bonus".split(
    " "
  )
]

type Random = () => number

const pick = <A>(random: Random, all: ReadonlyArray<A>): A =>
  all[Math.floor(random() * all.length)] as A

const words = (random: Random, count: number): string =>
  Array.from({ length: count }, () => pick(random, vocabulary)).join(" ")

/** `StatTrak AK-47 | Crimson Web (Field-Tested)`: some thousand titles, as a market has them. */
const title = (random: Random): string =>
  `${pick(random, ["", "", "StatTrak ", "Souvenir "])}${pick(random, weapons)} | ${pick(random, finishes)} (${pick(random, wears)})`

const hex = (random: Random): string =>
  Math.floor(random() * 2 ** 48)
    .toString(16)
    .padStart(12, "0")

const seconds = (random: Random): number => 1_600_000_000 + Math.floor(random() * 2e8)

const json = (random: Random): string =>
  JSON.stringify({
    float: random(),
    inspect: `steam://rungame/730/${hex(random)}${hex(random)}`,
    title: title(random),
    type: pick(random, weapons),
    quality: pick(random, wears),
    suggestedPrice: { amount: String(Math.floor(random() * 1e5)), currency: "USD" },
    lockStatus: random() < 0.2,
    createdAt: seconds(random),
    owner: {
      id: hex(random),
      country: pick(random, ["DE", "US", "UA", "PL", "BR", "CN"]),
      rating: Math.round(random() * 50) / 10
    },
    stickers: Array.from({ length: Math.floor(random() * 4) }, () => ({
      name: words(random, 2),
      wear: Math.round(random() * 100) / 100
    })),
    tradable: random() < 0.5
  })

/** A small generator with a seed: Math.random would make another database each time. */
const mulberry32 = (seed: number): Random => {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
