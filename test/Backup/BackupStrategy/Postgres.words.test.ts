/** What tools and servers say, and what becomes of it: pure, and for a pooler that is none. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as net from "node:net"
import * as Fingerprint from "../../../src/Backup/BackupStrategy/Postgres/Fingerprint.js"
import * as Tables from "../../../src/Backup/BackupStrategy/Postgres/Tables.js"
import * as Unmade from "../../../src/Backup/BackupStrategy/Postgres/Unmade.js"
import * as PassFile from "../../../src/Postgres/PassFile.js"
import { strategyOf } from "./PostgresFixture.js"

describe("Unmade", () => {
  // Seen with --jobs=2: each worker writes its prefix, its level and its sentence on its own.
  it("finds what failed in the torn lines of several workers", () => {
    const torn = `pg_restore: processing data for table "public.checked"
pg_restore: pg_restore: from TOC entry 3456; 0 16390 TABLE DATA public checked bot
from TOC entry 3458; 0 16396 TABLE DATA public other bot
pg_restore: error: pg_restore:COPY failed for table "checked": ERROR:  function base(text) does not exist
 error: COPY failed for table "other": ERROR:  relation "public.other" does not exist
pg_restore: warning: errors ignored on restore: 2
`
    assert.sameMembers([...Unmade.entries(torn)], ["3456", "3458"])
    assert.deepStrictEqual(Unmade.reasons(torn), [
      "function base(text) does not exist",
      'relation "public.other" does not exist'
    ])
    assert.strictEqual(Unmade.counted(torn, 2), 4)
    assert.strictEqual(Unmade.counted(torn, 1), 2)
    assert.deepStrictEqual([...Unmade.entries(""), ...Unmade.reasons("")], [])
  })

  it("counts what failed, where a run came to its end", () => {
    const entry = (number: number) =>
      `pg_restore: from TOC entry ${number}; 0 16390 INDEX public i bot\n`
    const ignored = (count: number) => `pg_restore: warning: errors ignored on restore: ${count}\n`
    const failures = (stderr: string, ended: number | undefined = 1) =>
      Unmade.failures({ ended, stderr })
    assert.strictEqual(failures("", 0), 0)
    assert.strictEqual(failures(`${entry(1)}${ignored(3)}`), 3)
    assert.strictEqual(failures(`${entry(1)}${entry(2)}${ignored(1)}`), 2)
    const died = "pg_restore: error: a worker process died unexpectedly\n"
    assert.isUndefined(failures(`${entry(1)}${died}`))
    assert.isUndefined(failures(entry(1), undefined))
    // In a statement these words are its own, and only the last are of the run.
    assert.isUndefined(failures(`Command was: -- ${ignored(7)}${died}`))
    assert.strictEqual(failures(`${entry(1)}${ignored(7)}${ignored(1)}`), 1)
  })

  it.each([
    'COPY failed for table "t": ERROR:  ',
    "error returned by PQputCopyData: ERROR:  ",
    "error returned by PQputCopyEnd: ERROR:  "
  ])("reads what comes after %s", (words) => {
    assert.deepStrictEqual(Unmade.reasons(`pg_restore: error: ${words}the reason`), ["the reason"])
  })

  it("reads pg_restore and psql alike", () => {
    const function_ = "function f_base(text) does not exist"
    const index = { object: "index t_idx", said: function_ }
    const constraint = {
      object: "constraint refers_t of table public.refers",
      said: 'insert or update on table "refers" violates foreign key (Key (id)=(0) is not present.)'
    }
    const restore = `pg_restore: error: could not execute query: ERROR:  ${function_}
LINE 1: SELECT f_base(x)
               ^
HINT:  No function matches.
CONTEXT:  SQL function "f_index" during inlining
Command was: CREATE INDEX t_idx ON public.t USING btree (public.f_index(v));


pg_restore: error: could not execute query: ERROR:  insert or update on table "refers" violates foreign key
DETAIL:  Key (id)=(0) is not present.
Command was: ALTER TABLE ONLY public.refers
    ADD CONSTRAINT refers_t FOREIGN KEY (id) REFERENCES public.t(id);


pg_restore: warning: errors ignored on restore: 2
`
    const psql = `ERROR:  42883: ${function_}
LINE 1: SELECT f_base(x)
LOCATION:  ParseFuncOrColumn, parse_func.c:629
STATEMENT:  CREATE INDEX t_idx ON public.t USING btree (public.f_index(v));
ERROR:  23503: insert or update on table "refers" violates foreign key
DETAIL:  Key (id)=(0) is not present.
LOCATION:  ri_ReportViolation, ri_triggers.c:2650
STATEMENT:  ALTER TABLE ONLY public.refers
    ADD CONSTRAINT refers_t FOREIGN KEY (id) REFERENCES public.t(id);
`
    for (const text of [restore, psql]) {
      assert.deepStrictEqual(
        Unmade.read(text).map(({ object, said }) => ({ object, said })),
        [index, constraint]
      )
    }
  })

  it.each([
    ['ALTER TABLE public."Odd t" OWNER TO x;', 'owner of table public."Odd t"'],
    ["CREATE EXTENSION IF NOT EXISTS pg_cron WITH SCHEMA pg_catalog;", "extension pg_cron"],
    ["CREATE EVENT TRIGGER seen ON ddl_command_end", "event trigger seen"],
    ["CREATE UNIQUE INDEX i ON public.t USING btree (id);", "index i"],
    ["CREATE MATERIALIZED VIEW public.v AS", "materialized view public.v"],
    ["CREATE POLICY p ON public.t USING (true);", "policy p of table public.t"],
    ["CREATE TRIGGER g BEFORE UPDATE ON public.t FOR EACH ROW", "trigger g of table public.t"],
    ["REFRESH MATERIALIZED VIEW public.v;", "rows of materialized view public.v"],
    ["GRANT SELECT ON TABLE public.t TO x;", "grants on table public.t"]
  ])("%s is %s", (statement, object) => {
    assert.strictEqual(Unmade.label(statement), object)
  })
})

describe("Tables", () => {
  it("compares rows by root, also where an older record does not name roots", () => {
    const restored = [
      { name: "p0", rows: 2, root: "p" },
      { name: "p1", rows: 6, root: "p" },
      { name: "t", rows: 1 }
    ]
    for (const root of [{ root: "p" }, {}]) {
      const record = [
        { name: "p0", rows: 4, ...root },
        { name: "p1", rows: 4, ...root },
        { name: "t", rows: 1 }
      ]
      assert.deepStrictEqual(Tables.differences(record, restored), { absent: [], other: [] })
      const gone = { name: "u", rows: 3 }
      assert.deepStrictEqual(
        Tables.differences(
          [...record, gone],
          [{ name: "p0", rows: 7, root: "p" }, ...restored.slice(1)]
        ),
        { absent: [gone], other: ["13 rows in p, with its parts, instead of 8"] }
      )
    }
  })
})

describe("Fingerprint", () => {
  const table = "-- Name: t; Type: TABLE\nCREATE TABLE public.t (id int);\n"
  const part = (name: string) =>
    `-- Name: ${name}; Type: TABLE\nCREATE TABLE public.${name} (id int);\n-- Name: ${name}; Type: TABLE ATTACH\nALTER TABLE ONLY public.t ATTACH PARTITION public.${name} FOR VALUES IN (1);\n`
  it("is of the schema, whatever the order, the key and the partitions", () => {
    const view = "-- Name: v; Type: VIEW\nCREATE VIEW public.v AS SELECT 1;\n"
    const one = Fingerprint.ofSchema(`\\restrict a\n${table}${view}${part("p1")}`)
    assert.strictEqual(one, Fingerprint.ofSchema(`\\restrict b\n${view}${table}`))
    assert.strictEqual(one, Fingerprint.ofSchema(`${view}${part("p1")}${part("p2")}${table}`))
    assert.notStrictEqual(one, Fingerprint.ofSchema(table))
  })
})

describe("PassFile", () => {
  const wanted = { hosts: ["db"], port: "5432", database: "bot", user: "me" }
  it.each([
    ["db:5432:bot:me:secret", "secret"],
    ["# comment\n*:*:*:other:no\n*:*:*:me:a\\:b\\\\c", "a:b\\c"],
    ["db:5433:bot:me:no\n\ndb:*:bot:me:first\ndb:*:bot:me:second", "first"],
    ["db:5432:bot:you:no", undefined],
    ["db:5432:bot", undefined]
  ])("%j", (text, password) => {
    assert.strictEqual(PassFile.find(text, wanted), password)
  })
})

describe("A pooler", () => {
  it.scopedLive("is told before any work, with what to use instead", () =>
    Effect.gen(function* () {
      const said = "unsupported startup parameter: options"
      const server = yield* Effect.acquireRelease(
        Effect.promise(
          () =>
            new Promise<net.Server>((resolve) => {
              const made = net.createServer((socket) => {
                socket.on("error", () => {})
                socket.on("data", (bytes) => {
                  if (bytes.readInt32BE(4) === 80_877_103) return socket.write("N")
                  const fields = `SFATAL\0C08P01\0M${said}\0\0`
                  const head = Buffer.from("E\0\0\0\0")
                  head.writeInt32BE(fields.length + 4, 1)
                  return socket.end(Buffer.concat([head, Buffer.from(fields)]))
                })
              })
              made.listen(0, "127.0.0.1", () => resolve(made))
            })
        ),
        (made) => Effect.sync(() => made.close())
      )
      const address = server.address()
      const port = address !== null && typeof address === "object" ? address.port : 0
      const strategy = yield* strategyOf(`postgresql://me:x@127.0.0.1:${port}/bot`)
      const refused = yield* Effect.flip(strategy.estimate)
      assert.include(refused.message, `found a pooler: ${said}`)
      assert.include(refused.message, "Use the direct URL")
    })
  )
})
