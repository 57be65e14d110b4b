/** Names, statements and connection strings: what has to be right for any text. */
import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as Archive from "../../../src/Backup/BackupStrategy/Postgres/Archive.js"
import * as Conninfo from "../../../src/Backup/BackupStrategy/Postgres/Conninfo.js"
import * as Extensions from "../../../src/Backup/BackupStrategy/Postgres/Extensions.js"
import * as Names from "../../../src/Backup/BackupStrategy/Postgres/Names.js"
import * as Script from "../../../src/Backup/BackupStrategy/Postgres/Script.js"
import * as Sql from "../../../src/Backup/BackupStrategy/Postgres/Sql.js"
import type * as DatabaseUrl from "../../../src/Common/DatabaseUrl.js"

const { assert: hold, constantFrom, date, property, string } = FastCheck

const text = string({ minLength: 1, unit: "grapheme" }).filter((made) => !made.includes("\0"))
const time = date({
  min: new Date("2000-01-01T00:00:00Z"),
  max: new Date("2100-01-01T00:00:00Z"),
  noInvalidDate: true
}).map(DateTime.unsafeMake)

const url = (parts: Partial<DatabaseUrl.Postgres>): DatabaseUrl.Postgres => ({
  _tag: "Postgres",
  host: "db",
  socketDir: undefined,
  port: 5432,
  database: undefined,
  user: undefined,
  password: undefined,
  ssl: undefined,
  options: undefined,
  parameters: {},
  ...parts
})

/** As libpq reads a connection string. */
const read = (conninfo: string): Record<string, string> =>
  Object.fromEntries(
    [...conninfo.matchAll(/(\w+)='((?:[^'\\]|\\.)*)'(?: |$)/gs)].map(
      ([, name = "", value = ""]) => [name, value.replace(/\\(.)/gs, "$1")]
    )
  )

describe("Names", () => {
  it("fit, tell the time, and are of one database", () => {
    hold(
      property(text, text, time, (name, other, at) => {
        const aside = Names.setAside(name, at)
        assert.isAtMost(Buffer.byteLength(aside), 63)
        assert.deepStrictEqual(
          Option.map(Names.setAsideAt(name, aside), DateTime.formatIso),
          Option.some(DateTime.formatIso(at))
        )
        if (name !== other) assert.isTrue(Option.isNone(Names.setAsideAt(other, aside)))
        const scratch = Names.scratch("drill", name, "0123456789ab")
        assert.isAtMost(Buffer.byteLength(scratch), 63)
        assert.strictEqual(Names.scratchPurpose(name, scratch), "drill")
        if (name !== other) assert.isUndefined(Names.scratchPurpose(other, scratch))
      })
    )
  })

  it.each([
    "bot_pre_restore_",
    "bot_pre_restore_20251211_120000",
    "bot_pre_restore_20251311_120000_000",
    "bot"
  ])("%s was not set aside", (name) => {
    assert.isTrue(Option.isNone(Names.setAsideAt("bot", name)))
  })
})

describe("Sql", () => {
  it.each([
    ["search_path", '"$user", public', "'$user', 'public'"],
    ["search_path", '"Odd ""schema", "a,b"', "'Odd \"schema', 'a,b'"],
    ["search_path", '""', "''"],
    ["work_mem", "7MB", "'7MB'"],
    ["app.motto", "it's \\x", "E'it''s \\\\x'"]
  ])("%s = %s is set to %s", (name, value, statement) => {
    assert.strictEqual(Sql.settingValue(name, value), statement)
  })

  it("lists are split into what they were made of", () => {
    hold(
      property(FastCheck.array(text, { minLength: 1 }), (names) => {
        assert.deepStrictEqual(Sql.splitList(names.map(Sql.identifier).join(", ")), names)
      })
    )
  })
})

describe("Conninfo", () => {
  it("names every part as it is, and no secret", () => {
    hold(
      property(text, text, text, (database, user, secret) => {
        const password = `secret ${secret}`
        const target = url({ user, password: Redacted.make(password), database: "other" })
        const conninfo = Conninfo.text(target, database, undefined)
        const parts = read(conninfo)
        assert.strictEqual(parts["dbname"], database)
        assert.strictEqual(parts["user"], user)
        assert.isUndefined(parts["password"])
        assert.strictEqual(Conninfo.environment(target)["PGPASSWORD"], password)
      })
    )
  })

  it("keeps what libpq knows of the parameters, and leaves out secrets and the rest", () => {
    const target = url({
      ssl: "verify-full",
      options: "-c search_path=bot",
      parameters: {
        sslrootcert: "/ca file.pem",
        sslpassword: "hidden",
        prepared_statement_cache_size: "0",
        client_encoding: "latin1",
        connect_timeout: "3"
      }
    })
    assert.deepStrictEqual(read(Conninfo.text(target, "bot", "holter restore 1")), {
      host: "db",
      port: "5432",
      dbname: "bot",
      sslmode: "verify-full",
      options: "-c search_path=bot -c default_transaction_read_only=off",
      connect_timeout: "3",
      sslrootcert: "/ca file.pem",
      application_name: "holter restore 1"
    })
    const service = Conninfo.serviceFile(target)
    assert.include(service === undefined ? "" : Redacted.value(service), "sslpassword=hidden")
  })

  it("says what mode of TLS is meant, whatever the environment says", () => {
    const modes = [url({}), url({ parameters: { sslrootcert: "system" } })].map(
      (target) => read(Conninfo.text(target, "bot", undefined))["sslmode"]
    )
    assert.deepStrictEqual(modes, ["prefer", "verify-full"])
  })
})

describe("Archive", () => {
  const statement = (name: string, options: string) =>
    `--\nSET x = 1;\nCREATE DATABASE ${name} WITH TEMPLATE = template0 ${options};\n\n`

  it("reads encoding and locale, and nothing else", () => {
    hold(
      property(constantFrom("bot", '"WITH TEMPLATE = template0 OWNER = x"'), (name) => {
        assert.strictEqual(
          Archive.parseCreate(
            statement(
              name,
              "ENCODING = 'UTF8' LOCALE_PROVIDER = icu LOCALE = 'C' ICU_LOCALE = 'de' OWNER = evil TABLESPACE = fast"
            )
          ),
          "ENCODING 'UTF8' LOCALE_PROVIDER icu LOCALE 'C' ICU_LOCALE 'de'"
        )
      })
    )
    assert.strictEqual(
      Archive.parseCreate(statement("bot", "ENCODING = 'x'; DROP DATABASE bot")),
      ""
    )
    assert.strictEqual(Archive.parseCreate("no statement"), "")
  })
})

describe("Script", () => {
  const end = "--\n-- PostgreSQL database dump complete\n--\n\n"
  it.each([
    [`SELECT 1;\n\nCOMMIT;\n\n${end}`, `SELECT 1;\n\n\n${end}`],
    [`x;\nCOMMIT;\n\n${end}\\unrestrict key\n\n`, `x;\n\n${end}\\unrestrict key\n\n`],
    // Another transaction's end is no end of the whole, and text behind it is no comment.
    [`COMMIT;\n\nSELECT 1;\n${end}`, undefined],
    [`SELECT 1;\n${end}`, undefined]
  ])("%j goes on without its end", (text, expected) => {
    assert.strictEqual(Script.withoutCommit(text), expected)
  })

  it.effect(
    "drops keys and indexes unless a whole table has them, and changes nothing in rows",
    () =>
      Effect.gen(function* () {
        const drops = `SET x = 1;
ALTER TABLE IF EXISTS ONLY s.p1 DROP CONSTRAINT IF EXISTS "p1'é";
DROP INDEX IF EXISTS s.i;
DROP TABLE IF EXISTS s.p1;
`
        const rest = `CREATE TABLE s.p1 (a text);
COPY s.p1 FROM stdin;
DROP INDEX IF EXISTS s.i;
\\.
`
        const written = (length: number) =>
          Stream.fromIterable(new TextEncoder().encode(drops + rest)).pipe(
            Stream.rechunk(length),
            Stream.chunks,
            Stream.map((bytes) => Uint8Array.from(bytes)),
            Script.clean,
            Stream.decodeText(),
            Stream.mkString
          )
        const whole = yield* written(10_000)
        assert.match(whole, /^SET x = 1;\nDO 'BEGIN IF EXISTS .*ONLY s\.p1 DROP CONSTRAINT "p1/s)
        assert.match(
          whole,
          /\nDO 'BEGIN IF EXISTS .*EXECUTE ''DROP INDEX s\.i''; END IF; END';\nDROP T/s
        )
        assert.isTrue(whole.endsWith(`;\nDROP TABLE IF EXISTS s.p1;\n${rest}`))
        for (const length of [1, 7, 100]) assert.strictEqual(yield* written(length), whole)
      })
  )
})

describe("Extensions", () => {
  const contents =
    ";\n2; 3079 16385 EXTENSION - uuid-ossp \n3700; 0 0 COMMENT - EXTENSION uuid-ossp \n" +
    "3; 3079 16400 EXTENSION - citext \n214; 1259 16387 TABLE public EXTENSION - x bot\n"

  it("are read from the contents, and left out with their comments", () => {
    assert.deepStrictEqual(Extensions.named(contents), ["uuid-ossp", "citext"])
    assert.deepStrictEqual(Extensions.named(Extensions.without(contents, new Set(["uuid-ossp"]))), [
      "citext"
    ])
    assert.notMatch(Extensions.without(contents, new Set(["uuid-ossp"])), /^\d.*uuid-ossp/m)
  })
})
