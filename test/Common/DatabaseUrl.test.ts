import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck, Redacted } from "effect"
import * as DatabaseUrl from "../../src/Common/DatabaseUrl.js"

const read = (text: string): DatabaseUrl.DatabaseUrl =>
  Either.getOrThrowWith(DatabaseUrl.parse(text), (error) => error)
const refused = (text: string): DatabaseUrl.DatabaseUrlError =>
  Either.getOrThrowWith(Either.flip(DatabaseUrl.parse(text)), () => new Error(`accepted: ${text}`))
const plain = (url: DatabaseUrl.DatabaseUrl) =>
  url._tag === "Sqlite"
    ? url
    : { ...url, password: url.password === undefined ? undefined : Redacted.value(url.password) }

const postgres = (text: string) => {
  const url = plain(read(text))
  assert.strictEqual(url._tag, "Postgres")
  return url as Exclude<typeof url, DatabaseUrl.Sqlite>
}
const login = (text: string) => {
  const { database, host, password, port, user } = postgres(text)
  return { user, password, host, port, database }
}

describe("DatabaseUrl", () => {
  it.each([
    ["sqlite:///relative.db", "relative.db"],
    ["sqlite:///data/my bot.db", "data/my bot.db"],
    ["sqlite:////var/lib/bot.db", "/var/lib/bot.db"],
    ["sqlite+aiosqlite:///./bot.db", "./bot.db"],
    ["sqlite:////a%20b%3F.db?timeout=5", "/a b?.db"],
    ["sqlite:////100%.db", "/100%.db"],
    ["data/bot.db", "data/bot.db"],
    ["/var/a%20b?c.db", "/var/a%20b?c.db"]
  ])("SQLite: %s", (text, path) => {
    assert.deepStrictEqual(read(text), { _tag: "Sqlite", path })
  })

  it.each([
    "sqlite://",
    "sqlite:///",
    "sqlite:///:memory:",
    ":memory:",
    "sqlite+aiosqlite:///:memory:?cache=shared",
    "sqlite:///bot?mode=memory"
  ])("refuses the in-memory database %s", (text) => {
    const error = refused(text)
    assert.strictEqual(error.reason, "Unsupported")
    assert.include(error.message, "in-memory")
  })

  it.each([
    ["mysql://u:hunter22@h/d", "Unsupported", "scheme"],
    ["sqlite:///file:x.db?uri=true", "Unsupported", "path"],
    ["postgresql://u:hunter22@a,b/d", "Unsupported", "host"],
    ["postgresql:u:hunter22@h", "Malformed", "scheme"],
    ["u:hunter22@h/d", "Malformed", "scheme"],
    ["sqlite://relative.db", "Malformed", "path"],
    ["", "Malformed", "text"],
    ["postgresql://u:hunter22@h:99999/d", "Malformed", "port"],
    ["postgresql://u:hunter22@h/d?sslmode=hunter22", "Malformed", "parameter sslmode"],
    ["postgresql://u:hunter22@h/d/e", "Malformed", "user information, host or database"],
    ["postgresql://u:hunter22%00@h/d", "Malformed", "user information, host or database"],
    ["postgresql://u:12?x=hunter22@h/d", "Malformed", "user information"]
  ] as const)("refuses %s", (text, reason, part) => {
    const error = refused(text)
    assert.deepStrictEqual([error.reason, error.part], [reason, part])
    assert.include(error.message, "Supported: sqlite:///relative.db")
    assert.notInclude(error.message, "hunter22")
  })

  it.each([
    "postgres//u:hunter22@h/db",
    "postgres ://u:hunter22@h/db",
    "postgres:/u:hunter22@h/db",
    "postgresql+asyncpg//u:hunter22@h/db",
    "//u:hunter22@h/db",
    "/u:hunter22@h/db",
    "hunter22@h:5432/db",
    "host=h password=hunter22 dbname=x",
    "dbname = x password = 'hunter22'",
    "Server=h;Database=x;User Id=u;Password=hunter22",
    "Data Source=x.db;Password=hunter22;",
    "Driver={PostgreSQL};Server=h;Pwd=hunter22",
    "(DESCRIPTION=(ADDRESS=(HOST=h))(PASSWORD=hunter22))",
    "x.db?key=1&password=hunter22",
    "jdbc:postgresql://h/db?password=hunter22",
    "jdbc:oracle:thin:u/hunter22@h:1521:x",
    "jdbc:sqlserver:h;pass=hunter22",
    "DATABASE_URL=postgres://u:hunter22@h/db",
    "export DATABASE_URL=data/hunter22.db",
    "PGPASSWORD=hunter22 psql -h h",
    "psql postgres://u:hunter22@h/db",
    "postgres%3A%2F%2Fu%3Ahunter22%40h%2Fdb",
    '"postgres://u:hunter22@h/db',
    "<postgres://u:hunter22@h/db>",
    '{"host":"h","password":"hunter22"}',
    "h:5432:db:u:hunter22",
    "127.0.0.1:5432:*:u:hunter22",
    "*:*:*:*:hunter22",
    "mysql:u:hunter22",
    "sqlite:///postgres://u:hunter22@h/db",
    "mysql+pymysql://u:hunter22@h/d",
    "mongodb+srv://u:hunter22@h/d",
    "redis://:hunter22@h",
    "data.db\nhunter22"
  ])(
    "takes no path for one where it was meant as something else, and shows nothing: %s",
    (text) => {
      const issue = JSON.stringify(refused(text))
      assert.notInclude(issue, "hunter22")
      assert.include(issue, "expected")
    }
  )

  it.each([
    ["data/env=prod/bot.db", "data/env=prod/bot.db"],
    ["C:\\bots\\bot.db", "C:\\bots\\bot.db"],
    ["./a:b.db", "./a:b.db"],
    ["/srv/10:30/bot.db", "/srv/10:30/bot.db"],
    ["/home/bot@home/bot.db", "/home/bot@home/bot.db"],
    ["postgres/data.db", "postgres/data.db"],
    ["my bot.db", "my bot.db"]
  ])("takes the path %s", (text, path) => {
    assert.deepStrictEqual(read(text), { _tag: "Sqlite", path })
  })

  it.each(['"', "'"])("takes off the quotation marks that docker --env-file keeps: %s", (mark) => {
    assert.strictEqual(login(`${mark}postgresql://bot:hunter22@h/d${mark}`).password, "hunter22")
    assert.strictEqual(login(` ${mark}postgresql://bot:hunter22@h/d${mark}\t`).host, "h")
    assert.deepStrictEqual(read(`${mark}data/bot.db${mark}`), {
      _tag: "Sqlite",
      path: "data/bot.db"
    })
  })

  it.each(["postgresql", "postgres", "postgresql+asyncpg", "PostgreSQL+psycopg2"])(
    "PostgreSQL by the scheme %s",
    (scheme) => {
      assert.deepStrictEqual(login(`${scheme}://bot:secret@db.example:6432/app`), {
        user: "bot",
        password: "secret",
        host: "db.example",
        port: 6432,
        database: "app"
      })
    }
  )

  it("fills in what a URL leaves out", () => {
    assert.deepStrictEqual(postgres("postgresql://"), {
      _tag: "Postgres",
      host: "localhost",
      socketDir: undefined,
      port: 5432,
      database: undefined,
      user: undefined,
      password: undefined,
      ssl: undefined,
      options: undefined,
      parameters: {}
    })
  })

  it("decodes what is percent-encoded", () => {
    assert.deepStrictEqual(login("postgresql://b%40t:p%40ss%25w%2Frd%20%3Ax@h/my%20db"), {
      user: "b@t",
      password: "p@ss%w/rd :x",
      host: "h",
      port: 5432,
      database: "my db"
    })
  })

  it.each(["p@ss", "p@ss%w/rd :x", "100%", "a?b#c", "a:b", "%zz%ff", "@@@", "12/34", "x@h:1/y@"])(
    "takes the raw password %s",
    (password) => {
      assert.deepStrictEqual(login(`postgresql://bot:${password}@db:5432/app?sslmode=disable`), {
        user: "bot",
        password,
        host: "db",
        port: 5432,
        database: "app"
      })
    }
  )

  it("an @ in a parameter that holds free text belongs there", () => {
    const url = postgres("postgresql://bot:secret@db/app?application_name=bot@home")
    assert.strictEqual(url.password, "secret")
    assert.deepStrictEqual(url.parameters, { application_name: "bot@home" })
  })

  it("finds unix sockets and IPv6 addresses", () => {
    const encoded = postgres("postgresql://bot@%2Fvar%2Frun%2Fdb/app")
    assert.deepStrictEqual([encoded.host, encoded.socketDir], ["/var/run/db", "/var/run/db"])
    const parameter = postgres("postgresql:///app?host=/var/run/db&port=6432&user=bot&password=pw")
    assert.deepStrictEqual(
      [parameter.socketDir, parameter.port, parameter.user, parameter.password, parameter.database],
      ["/var/run/db", 6432, "bot", "pw", "app"]
    )
    assert.strictEqual(DatabaseUrl.address(read("postgres:///x?host=/r")), "/r/.s.PGSQL.5432")
    const six = postgres("postgresql://bot:p@ss@[2001:db8::1]:6432/app")
    assert.deepStrictEqual([six.host, six.port, six.password], ["2001:db8::1", 6432, "p@ss"])
    assert.strictEqual(DatabaseUrl.address(read("postgres://[::1]/x")), "[::1]:5432")
  })

  it("refuses a slip in the name of a parameter, and shows no part of it", () => {
    for (const [parameter, meant] of [
      ["sslmod=verify-full", "sslmode"],
      ["sslMode=require", "sslmode"],
      ["sslroot_cert=x", "sslrootcert"],
      ["chanel_binding=require", "channel_binding"],
      ["target_sesion_attrs=read-write", "target_session_attrs"]
    ] as const) {
      const error = Either.getOrThrow(
        Either.flip(DatabaseUrl.parse(`postgresql://bot:hunter22@h/d?${parameter}`))
      )
      assert.include(error.message, `such as ${meant}, found one much like it`)
      assert.notInclude(error.message, "hunter22")
    }
  })

  it("a connection of its own refuses what it does not keep", () => {
    const parsed = (parameter: string) =>
      DatabaseUrl.parseForConnection(`postgresql://bot:pw@h/d?${parameter}`)
    for (const parameter of [
      "channel_binding=require",
      "target_session_attrs=read-write",
      "require_auth=scram-sha-256",
      "gssencmode=require",
      "sslcrl=/x.crl",
      "ssl_min_protocol_version=TLSv1.3",
      "hostaddr=10.0.0.1"
    ]) {
      const [name = ""] = parameter.split("=")
      const error = Either.getOrThrow(Either.flip(parsed(parameter)))
      assert.deepStrictEqual([error.reason, error.part], ["Unsupported", `parameter ${name}`])
      // The tools of backups keep it.
      assert.isTrue(Either.isRight(DatabaseUrl.parse(`postgresql://bot:pw@h/d?${parameter}`)))
    }
    for (const parameter of [
      "channel_binding=prefer",
      "target_session_attrs=any",
      "pool_size=5",
      "pgbouncer=true",
      "keepalives=1"
    ]) {
      assert.isTrue(Either.isRight(parsed(parameter)), parameter)
    }
  })

  it("refuses parameters that change how SQLite reads the file", () => {
    for (const parameter of ["immutable=1", "nolock=1", "vfs=x"]) {
      assert.isTrue(Either.isLeft(DatabaseUrl.parse(`sqlite:///bot.db?${parameter}`)), parameter)
    }
  })

  it("reads TLS modes, options and the application's own parameters", () => {
    const url = postgres(
      "postgresql://h/d?sslmode=verify-full&options=-c%20search_path%3Dbot&pool_size=5"
    )
    assert.strictEqual(url.ssl, "verify-full")
    assert.strictEqual(url.options, "-c search_path=bot")
    assert.deepStrictEqual(url.parameters, { pool_size: "5" })
    assert.strictEqual(postgres("postgresql+asyncpg://h/d?ssl=true").ssl, "require")
  })

  const text = FastCheck.string({ unit: "grapheme", maxLength: 20 }).filter(
    (value) => !value.includes("\u0000")
  )
  const some = text.filter((value) => value !== "")
  const name = FastCheck.stringMatching(/^[a-z_]{1,10}$/)
  const reserved = new Set("options sslmode ssl host port user password dbname database".split(" "))
  const sqlite = some
    .filter((path) => !/^(?::memory:|file:|\/?$)/i.test(path))
    .map((path): DatabaseUrl.Sqlite => ({ _tag: "Sqlite", path }))
  const server = FastCheck.oneof(
    FastCheck.domain(),
    FastCheck.ipV6(),
    FastCheck.ipV4(),
    name.map((folder) => `/var/${folder}`)
  ).chain((host) =>
    FastCheck.record({
      _tag: FastCheck.constant("Postgres" as const),
      host: FastCheck.constant(host),
      socketDir: FastCheck.constant(host.startsWith("/") ? host : undefined),
      port: FastCheck.integer({ min: 1, max: 65535 }),
      database: FastCheck.option(some, { nil: undefined }),
      user: FastCheck.option(some, { nil: undefined }),
      password: FastCheck.option(some.map(Redacted.make), { nil: undefined }),
      ssl: FastCheck.constantFrom(undefined, ...DatabaseUrl.SslMode.literals),
      options: FastCheck.option(some, { nil: undefined }),
      parameters: FastCheck.dictionary(
        name.filter((key) => !reserved.has(key)),
        text,
        { noNullPrototype: true }
      )
    })
  )

  it("reads back what it wrote", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.oneof(sqlite, server), (url) => {
        assert.deepStrictEqual(plain(read(Redacted.value(DatabaseUrl.format(url)))), plain(url))
      }),
      { numRuns: 500 }
    )
  })

  it("a raw password is read as it was typed, or refused", () => {
    FastCheck.assert(
      FastCheck.property(some, (password) => {
        const parsed = DatabaseUrl.parse(`postgresql://bot:${password}@db:5432/app`)
        if (Either.isLeft(parsed)) return
        const url = plain(parsed.right)
        assert.strictEqual(url._tag, "Postgres")
        // What looks like an escape is one.
        if (url._tag === "Postgres" && !/%[0-9a-f]{2}/i.test(password)) {
          assert.strictEqual(url.password, password)
          assert.strictEqual(url.host, "db")
        }
      }),
      { numRuns: 1000 }
    )
  })

  it("no error shows a password", () => {
    const odd = FastCheck.constantFrom("@", "/", "?", ":", "#", "%", " ", "&", "=", "[", "]")
    const pieces = FastCheck.array(FastCheck.oneof(odd, text), { maxLength: 6 })
    FastCheck.assert(
      FastCheck.property(
        FastCheck.constantFrom("postgresql", "mysql", "sqlite", "postgres+x", "postgresql+asyncpg"),
        pieces,
        pieces,
        (scheme, before, after) => {
          const text = `${scheme}://u:${before.join("")}S3CRET-canary${after.join("")}@h:x/d?a=b`
          for (const url of [text, text.replace("h:x", "h"), text.replace("/d", ":/d/e")]) {
            const parsed = DatabaseUrl.parse(url)
            if (Either.isLeft(parsed)) {
              assert.notInclude(parsed.left.message, "canary")
              assert.notInclude(JSON.stringify(parsed.left), "canary")
            }
          }
        }
      ),
      { numRuns: 1000 }
    )
  })
})
