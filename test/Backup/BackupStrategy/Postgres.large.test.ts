/** A database whose table of contents is long: no part of it may be lost on the way. */
import { assert, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { PostgresServer } from "../../support/PostgresServer.js"
import { describeWithServices } from "../../support/Services.js"
import * as TempDir from "../../support/TempDir.js"
import { dumpOptions, payloadOf, restoreOptions, silent, strategyOf } from "./PostgresFixture.js"

const count = 450

/** Long names make a long list of few tables: over 400 KiB, most of them in the middle of it. */
const sql = `
  CREATE EXTENSION citext;
  CREATE FUNCTION f_base(x text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT lower(x)';
  CREATE FUNCTION f_index(x text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT f_base(x)';
  DO $$ BEGIN FOR i IN 1..${count} LOOP
    EXECUTE format('CREATE TABLE %I (v text)', rpad('t' || i || '_', 60, 'x'));
    FOR j IN 1..2 LOOP
      EXECUTE format('CREATE INDEX %I ON %I (v)', rpad('i' || j || i || '_', 60, 'x'), rpad('t' || i || '_', 60, 'x'));
      EXECUTE format('COMMENT ON INDEX %I IS ''of many''', rpad('i' || j || i || '_', 60, 'x'));
    END LOOP;
  END LOOP; END $$;
  CREATE TABLE m_hidden (v text); INSERT INTO m_hidden VALUES ('X');
  CREATE INDEX i000_hidden ON m_hidden (f_index(v));`

const middle = "i1225_".padEnd(60, "x")

const named = (warnings: ReadonlyArray<string>) =>
  assert.lengthOf(
    warnings.filter((text) => hidden.test(text)),
    1,
    warnings.join("\n")
  )

const hidden = /index i000_hidden \(function f_base\(text\) does not exist\)/

describeWithServices("postgres", "A database of thousands of objects", () => {
  it.scopedLive(
    "has each object that cannot be made named, by several workers and in place",
    () =>
      Effect.gen(function* () {
        const server = yield* PostgresServer.make({
          settings: { max_locks_per_transaction: "2048", autovacuum: "off" }
        })
        yield* server.query("ALTER ROLE holter CREATEDB")
        yield* Effect.scoped(Effect.flatMap(server.session(), (app) => app.query(sql)))
        const strategy = yield* strategyOf(server.url, { jobs: 2 })
        const wanted = dumpOptions(yield* TempDir.make("large"))
        const payload = payloadOf(wanted.path, yield* strategy.dump(wanted))
        const drill = yield* strategy.drill(payload, { onProgress: silent, allowIncomplete: true })
        named(drill.warnings)
        const refused = yield* Effect.flip(strategy.restore(payload, restoreOptions))
        assert.match(refused.message, hidden)
        yield* server.query(
          `ALTER ROLE holter NOCREATEDB; DELETE FROM m_hidden; DROP INDEX "${middle}"`
        )
        const restored = yield* strategy.restore(payload, {
          ...restoreOptions,
          allowIncomplete: true
        })
        assert.match(restored.method, /^in place/)
        named(restored.warnings)
        assert.deepStrictEqual(
          yield* server.query(
            `SELECT count(*)::int AS indexes FROM pg_indexes WHERE indexname LIKE 'i%xxx'`
          ),
          [{ indexes: 2 * count }]
        )
      }),
    60_000
  )
})
