/** A strategy for a test server, and a database with something of everything in it. */
import { NodeContext } from "@effect/platform-node"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { execFile } from "node:child_process"
import * as path from "node:path"
import { promisify } from "node:util"
import * as Postgres from "../../../src/Backup/BackupStrategy/Postgres.js"
import {
  BackupStrategy,
  type DumpOptions,
  type OnProgress,
  type Payload,
  type RestoreOptions,
  type Strategy
} from "../../../src/Backup/BackupStrategy/Strategy.js"
import type * as Manifest from "../../../src/Backup/Manifest.js"
import * as DatabaseUrl from "../../../src/Common/DatabaseUrl.js"
import type { PostgresInstance } from "../../support/PostgresServer.js"
import * as Template from "../../support/PostgresTemplate.js"

export const silent: OnProgress = () => Effect.void

const parse = (url: string): DatabaseUrl.Postgres => {
  const parsed = Either.getOrThrow(DatabaseUrl.parse(url))
  if (parsed._tag !== "Postgres") throw new Error("no URL of PostgreSQL")
  return parsed
}

export const strategyOf = (url: string, options?: Postgres.Options): Effect.Effect<Strategy> =>
  BackupStrategy.pipe(
    Effect.provide(Postgres.layer(parse(url), options)),
    Effect.provide(NodeContext.layer)
  )

export const adminUrl = (server: PostgresInstance, database?: string): string =>
  server.urlWith({
    user: Template.admin.user,
    password: Template.admin.password,
    ...(database === undefined ? {} : { database })
  })

export const dumpOptions = (folder: string, more: Partial<DumpOptions> = {}): DumpOptions => ({
  path: path.join(folder, "backup.dump"),
  compression: "gzip",
  level: undefined,
  onProgress: silent,
  ...more
})

export const payloadOf = (file: string, dump?: Manifest.Dump): Payload => ({
  path: file,
  compression: "internal",
  dump
})

export const restoreOptions: RestoreOptions = {
  startedAt: DateTime.unsafeMake("2025-12-11T12:00:00.123Z"),
  replaceDamaged: false,
  onProgress: silent
}

/** Those that a test or a restore has made. */
export const databasesOf = (server: PostgresInstance) =>
  Effect.map(
    server.query<{ datname: string }>(
      "SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1') ORDER BY 1"
    ),
    (rows) => rows.map(({ datname }) => datname)
  )

export const execute = (command: string, ...args: ReadonlyArray<string>) =>
  Effect.promise(() => promisify(execFile)(command, [...args]))

/** Owned by the application's user, so that it can be restored by that user. */
export const rich = `
  CREATE EXTENSION citext; CREATE EXTENSION pg_trgm;
  CREATE SCHEMA "Odd ""schema";
  CREATE TABLE orders (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name citext NOT NULL,
    price numeric NOT NULL, doubled numeric GENERATED ALWAYS AS (price * 2) STORED);
  INSERT INTO orders (name, price) SELECT 'order ' || i, i FROM generate_series(1, 1000) i;
  CREATE INDEX orders_name ON orders USING gin ((name::text) gin_trgm_ops);
  CREATE TABLE "Odd ""schema"."Table ' x" (id serial PRIMARY KEY, note text);
  INSERT INTO "Odd ""schema"."Table ' x" (note) VALUES ('one'), (NULL);
  CREATE TABLE events (at date NOT NULL, what text) PARTITION BY RANGE (at);
  CREATE TABLE events_25 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
  CREATE TABLE events_26 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
  ALTER TABLE events ADD PRIMARY KEY (at, what); CREATE INDEX "events by 'what'" ON events (what);
  INSERT INTO events SELECT '2025-12-01'::date + i, 'event' FROM generate_series(0, 59) i;
  CREATE TABLE parent (id int); CREATE TABLE child () INHERITS (parent);
  INSERT INTO parent VALUES (1); INSERT INTO child VALUES (2), (3);
  CREATE UNLOGGED TABLE cache (id int); INSERT INTO cache VALUES (1);
  CREATE MATERIALIZED VIEW totals AS SELECT count(*) AS orders, sum(price) AS price FROM orders;
  CREATE SEQUENCE tickets START 41; SELECT nextval('tickets'), nextval('tickets');
  SELECT lo_from_bytea(4711, 'a large object');
  CREATE VIEW cheap AS SELECT * FROM orders WHERE price < 10;
  COMMENT ON TABLE orders IS 'what was ordered';`

/** Something that tells whether a restored database is the one of \`rich\`. */
export const fingerprint = `SELECT (SELECT count(*) FROM orders)::int AS orders,
  (SELECT sum(doubled) FROM orders)::float8 AS doubled,
  (SELECT count(*) FROM events)::int AS events, (SELECT count(*) FROM parent)::int AS family,
  (SELECT orders FROM totals)::int AS totals, (SELECT last_value FROM tickets)::int AS tickets,
  convert_from(lo_get(4711), 'UTF8') AS large,
  (SELECT count(*) FROM orders WHERE name = 'ORDER 7')::int AS citext,
  obj_description('orders'::regclass) AS comment`

export const fingerprintOfRich = {
  orders: 1000,
  doubled: 1_001_000,
  events: 60,
  family: 3,
  totals: 1000,
  tickets: 42,
  large: "a large object",
  citext: 1,
  comment: "what was ordered"
}

export const tablesOfRich = [
  { name: '"Odd ""schema"."Table \' x"', rows: 2 },
  { name: "public.cache", rows: 1 },
  { name: "public.child", rows: 2, root: "public.parent" },
  { name: "public.events_25", rows: 31, root: "public.events" },
  { name: "public.events_26", rows: 29, root: "public.events" },
  { name: "public.orders", rows: 1000 },
  { name: "public.parent", rows: 1 }
]
