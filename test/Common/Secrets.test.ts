import { assert, describe, it } from "@effect/vitest"
import { Encoding, FastCheck as fc, Option, Redacted } from "effect"
import * as Secrets from "../../src/Common/Secrets.js"

/** Texts that can be percent-encoded, trimmed, as a password or a token is. */
const text = (min: number) =>
  fc
    .oneof(
      fc.string({ minLength: min, unit: "binary" }),
      fc.string({ minLength: min, unit: "grapheme-ascii" }),
      fc.string({ minLength: min, unit: fc.constantFrom(..."ab%25c\\\"'&;<>/@:+ -_=n\n\tu0é😀") })
    )
    .filter((value) => !hasLoneSurrogate(value) && !value.includes("�"))

const hasLoneSurrogate = (value: string): boolean => /\p{Surrogate}/u.test(value)

const secret = text(6).filter(
  // Shorter once trimmed, or part of what stands where it stood: not what is looked for here.
  (value) => value.trim().length >= 6 && !Secrets.placeholder.includes(value.trim())
)

const html = (value: string) =>
  value
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
const lowerPercent = (value: string) =>
  encodeURIComponent(value).replace(/%../g, (escape) => escape.toLowerCase())

const forms: Record<string, (value: string) => string> = {
  plain: (value) => value,
  trimmed: (value) => value.trim(),
  percent: encodeURIComponent,
  "lower-case percent": lowerPercent,
  "percent, every byte": (value) =>
    [...Buffer.from(value)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join(""),
  "form body": (value) => encodeURIComponent(value).replaceAll("%20", "+"),
  JSON: (value) => JSON.stringify(value).slice(1, -1),
  "JSON inside JSON": (value) => JSON.stringify(JSON.stringify(value)).slice(3, -3),
  HTML: (value) => html(value).replaceAll("'", "&#39;"),
  "HTML with named and hexadecimal entities": (value) =>
    html(value).replaceAll("'", "&#x27;").replaceAll("/", "&#x2F;")
}

const base64: Record<string, (value: string) => string> = {
  base64: (value) => Encoding.encodeBase64(value),
  base64url: (value) => Encoding.encodeBase64Url(value),
  "base64 in a query": (value) => encodeURIComponent(Encoding.encodeBase64(value))
}

/** Everything that a text holds, also inside what may be base64 in it. */
const readable = (scrubbed: string): ReadonlyArray<string> => [
  scrubbed,
  ...(decodeURIComponentOrNone(scrubbed).match(/[A-Za-z0-9+/_-]+/g) ?? []).flatMap((run) =>
    [0, 1, 2, 3].map((skip) => Buffer.from(run.slice(skip), "base64").toString("utf8"))
  )
]
const decodeURIComponentOrNone = (value: string) =>
  Option.getOrElse(Option.liftThrowable(decodeURIComponent)(value), () => value)

const check = <A>(arbitrary: fc.Arbitrary<A>, property: (value: A) => void, numRuns = 60) =>
  fc.assert(fc.property(arbitrary, property), { numRuns })

describe("scrub", () => {
  for (const [name, form] of Object.entries(forms)) {
    it(`finds every secret of six characters and more: ${name}`, () => {
      check(fc.tuple(secret, text(0), text(0)), ([value, before, after]) => {
        const { scrub } = Secrets.make([value])
        assert.include(scrub(form(value)), Secrets.placeholder)
        const scrubbed = scrub(`${before}${form(value)}${after}`)
        assert.include(scrubbed, Secrets.placeholder)
        // What the rest of the text happens to hold by itself is not what was put in.
        const rest = scrubbed.split(Secrets.placeholder).join("\u0000")
        assert.notInclude(rest, value)
        assert.notInclude(rest, value.trim())
      })
    })
  }

  for (const [name, form] of Object.entries(base64)) {
    it(`finds every secret in ${name}, whatever stands before and after it`, () => {
      check(fc.tuple(secret, text(0), text(0)), ([value, before, after]) => {
        const scrubbed = Secrets.make([value]).scrub(`x ${form(`${before}${value}${after}`)} y`)
        assert.include(scrubbed, Secrets.placeholder)
        if (`${before}${after}`.includes(value.trim())) return
        for (const found of readable(scrubbed)) assert.notInclude(found, value.trim())
      })
    })
  }

  it("finds several secrets, also one that is part of another", () => {
    check(fc.array(secret, { minLength: 1, maxLength: 6 }), (values) => {
      const { scrub } = Secrets.make([...values, ...values.map((value) => `${value}-longer`)])
      for (const value of values) {
        assert.strictEqual(scrub(`${value}-longer`).includes("-longer"), false)
        const scrubbed = scrub(values.join("\u0001")).split(Secrets.placeholder).join("\u0000")
        assert.notInclude(scrubbed, value.trim())
      }
    })
  })

  it("leaves texts without a secret as they are", () => {
    check(fc.tuple(secret, text(0)), ([value, other]) => {
      const has = [value, value.trim()].flatMap((one) => [
        ...Object.values(forms).map((form) => form(one)),
        ...Object.values(base64).map((form) => form(one))
      ])
      fc.pre(other.length < 6 || !has.some((form) => other.includes(form)))
      if (other.length < 6) assert.strictEqual(Secrets.make([value]).scrub(other), other)
    })
    const { scrub } = Secrets.make(["correct horse", "s3cr3t/t0k3n"])
    const plain = "The database answered in 15 ms: 3 of 100 connections, 100% fine & <well>, a\\b"
    assert.strictEqual(scrub(plain), plain)
  })

  it("leaves shorter values alone", () => {
    const secrets = Secrets.make(["abcde", "", "  ab  "])
    assert.strictEqual(secrets.scrub("abcde ab"), "abcde ab")
    assert.strictEqual(secrets, Secrets.none)
  })

  it("finds a value that was read with its last newline", () => {
    assert.strictEqual(
      Secrets.make(["token-123\n"]).scrub("Bearer token-123."),
      "Bearer <redacted>."
    )
  })

  it("scrubs inside values and keeps their structure", () => {
    const { scrubAll } = Secrets.make(["s3cr3t-value"])
    assert.deepStrictEqual(
      scrubAll({ a: ["x s3cr3t-value", 1, null, true], b: { c: "s3cr3t-value" }, d: "well" }),
      { a: ["x <redacted>", 1, null, true], b: { c: "<redacted>" }, d: "well" }
    )
  })

  it("a text of a megabyte", () => {
    const line =
      '17 of 100: 15 ms, 99% idle, C:\\data\\bot.db, {\\"ok\\": true}, a+b/c== &amp; more\n'
    const input = line.repeat(Math.ceil(1_000_000 / line.length))
    const { scrub } = Secrets.make(['p@ss"w\\rd', "redis://:hunter22@host"])
    assert.strictEqual(scrub(`${input}p%40ss%22w%5Crd`), `${input}${Secrets.placeholder}`)
  })

  // A pattern that tries something in exponentially many ways does not end within the test's limit,
  // and one that tries it in quadratically many takes 16 times as long for four times the text.
  const nasty: ReadonlyArray<readonly [string, string, string]> = [
    ["backslashes", `${"\\".repeat(60)}x`, "\\"],
    ["escaped quotes", `${'\\"'.repeat(40)}x`, '\\\\\\"'],
    ["percent signs", `${"%25".repeat(40)}x`, "%25"],
    ["percent-encoded backslashes", `${"\\%5c".repeat(30)}x`, "%5c\\%5c"],
    ["ampersands", `${"&amp;".repeat(30)}x`, "&amp;"],
    ["newlines", `${"\n\\n".repeat(30)}x`, "\\n\\\\n"],
    ["spaces and plus signs", `${" +".repeat(40)}x`, "+"],
    ["one letter", `${"a".repeat(100)}b`, "a"],
    ["base64 of one letter", "a".repeat(99), "YWFh"]
  ]
  for (const [what, value, unit] of nasty) {
    it(`takes time in proportion to the text: ${what}`, () => {
      const { scrub } = Secrets.make([value])
      const took = (length: number) => {
        // The secret at the end, as a text that may hold none is not searched.
        const input = unit.repeat(Math.ceil(length / unit.length)) + value
        const started = performance.now()
        scrub(input)
        return performance.now() - started
      }
      took(1_000)
      const small = Math.min(took(8_000), took(8_000))
      const large = Math.min(took(32_000), took(32_000), took(32_000))
      assert.isBelow(large / Math.max(small, 2), 12)
    })
  }
})

describe("isSecretName", () => {
  /** One word in every spelling of a name that has others before it. */
  const spellings: ReadonlyArray<(words: ReadonlyArray<string>) => string> = [
    (words) => words.join("_").toUpperCase(),
    (words) => words.join("_"),
    (words) => words.join("-"),
    (words) => words.join("."),
    (words) => words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join(""),
    (words) => words.join("").toLowerCase(),
    (words) => words.join("").toUpperCase()
  ]
  const before = fc.array(fc.constantFrom("bot", "db", "my", "HOLTER", "smtp", "v2"), {
    maxLength: 3
  })

  it("knows every usual word for a secret, however the name is spelled", () => {
    const words =
      "token secret password passwd passphrase passcode key apikey credentials dsn signature authorization authorisation cookie bearer jwt pass"
    check(
      fc.tuple(before, fc.constantFrom(...words.split(" ")), fc.constantFrom(...spellings)),
      ([prefix, word, spell]) => {
        assert.isTrue(Secrets.isSecretName(spell([...prefix, word])), spell([...prefix, word]))
      },
      300
    )
  })

  it.each([
    "TELEGRAM_BOT_TOKEN",
    "DMARKET_PUBLIC_KEY",
    "DMARKET_SECRET_KEY",
    "HOLTER_TOKEN",
    "AWSAccessKeyId",
    "X-Amz-Signature",
    "access_token",
    "api_key",
    "sslpassword",
    "SENTRY_DSN",
    "REDIS_AUTH",
    "_auth",
    "sig",
    "DB_PWD",
    "Pwd",
    "smtpPass",
    "DB_PASS_2",
    "Authorization",
    "Set-Cookie"
  ])("%s is a secret", (name) => {
    assert.isTrue(Secrets.isSecretName(name))
  })

  it.each([
    "",
    "DATABASE_URL",
    "REDIS_URL",
    "HOLTER_NAME",
    "ADMIN_TELEGRAM_CHAT_ID",
    "HOME",
    "PWD",
    "OLDPWD",
    "host",
    "keep",
    "path",
    "bypass",
    "compass",
    "author",
    "design",
    "assign",
    "signal",
    "authority",
    "passive",
    "sslmode",
    "application_name",
    "interval"
  ])("%j is none", (name) => {
    assert.isFalse(Secrets.isSecretName(name))
  })
})

describe("looksLikeToken", () => {
  it.each([
    "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    "bot123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw",
    "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "xoxb-17653672481-19874698323",
    "AKIAIOSFODNN7EXAMPLE",
    "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
    "d41d8cd98f00b204e9800998ecf8427e",
    "0b8f2a9e-2f6e-4a57-9e31-1f0a6d1d2c3b",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY1a2",
    "Bearer q8Zr2Lk9Xw4Tn7Vb1Yc5"
  ])("%s", (text) => {
    assert.isTrue(Secrets.looksLikeToken(text))
  })

  it.each([
    "-1001234567890",
    "@channel_of_operators_2026",
    "dmarket_api_production_2",
    "postgresql-16-primary-eu-west-1",
    "/var/lib/holter/backups/bot_sqlite_20251211_230000_000.db.gz",
    "every day at 03:00 and at 12:30:45",
    "https://api.example.com/v1/services/health?verbose=1",
    "10.0.0.12:5432",
    "fe80::1ff:fe23:4567:890a",
    "2025-12-11T23:00:00.000Z",
    "TELEGRAM_BOT_TOKEN_OF_THE_SECOND_BOT",
    "Europe/Berlin"
  ])("not %s", (text) => {
    assert.isFalse(Secrets.looksLikeToken(text))
  })
})

describe("fromConfig", () => {
  const password = fc
    .oneof(text(6), fc.string({ minLength: 6, unit: fc.constantFrom(..."aZ9@%/ :#?&=+") }))
    .filter((value) => value.trim().length >= 6)

  it("finds the password of a URL, percent-encoded, in every form", () => {
    check(password, (value) => {
      for (const scheme of ["postgresql+asyncpg", "HTTPS"]) {
        const url = `${scheme}://user:${encodeURIComponent(value)}@host:5432/db?sslmode=require`
        for (const config of [{ url }, { a: [{ b: Redacted.make(url) }] }]) {
          const { scrub } = Secrets.fromConfig(config)
          assert.notInclude(scrub(`(${value})`).replaceAll(Secrets.placeholder, "\u0000"), value)
          assert.notInclude(scrub(`cannot connect to ${url}`), encodeURIComponent(value))
        }
      }
    })
  })

  it("finds the password of a URL that was not encoded", () => {
    for (const value of [
      "p@ss/w%rd :x",
      "p@ssword",
      "pass/word",
      "pass word",
      "100%sure",
      "a:b@c/d?e#f"
    ]) {
      const { scrub } = Secrets.fromConfig({ url: `postgres://user:${value}@localhost/db` })
      assert.notInclude(scrub(`password "${value}" was refused`), value)
    }
  })

  it("finds the secret parameters of a URL", () => {
    const url =
      "https://example.com/hook?user=somebody&api_key=k3y-k3y-k3y&access_token=t0k3n%2Ft0k3n"
    const { scrub } = Secrets.fromConfig({ url })
    assert.strictEqual(scrub("k3y-k3y-k3y t0k3n/t0k3n somebody"), "<redacted> <redacted> somebody")
    const signed = Secrets.fromConfig("https://example.com/blob?sv=2024-11-04&sig=s1gn4ture")
    assert.strictEqual(signed.scrub("2024-11-04 s1gn4ture"), "2024-11-04 <redacted>")
  })

  it("finds a URL with space before it", () => {
    const { scrub } = Secrets.fromConfig({ url: "\n  redis://:hunter22@host" })
    assert.strictEqual(scrub("hunter22"), "<redacted>")
  })

  it.each([
    "postgres//u:hunter22@h/db",
    "//u:hunter22@h/db",
    "postgres ://u:hunter22@h/db",
    '"postgres://u:hunter22@h/db"',
    "DATABASE_URL=postgres://u:hunter22@h/db",
    "host=h password=hunter22 dbname=x",
    "host=h password = 'hunter22' dbname=x",
    "Server=h;Password=hunter22",
    "jdbc:postgresql://h/db?password=hunter22",
    "curl -u x https://u:hunter22@h"
  ])("finds the password in a text that no reader takes: %s", (text) => {
    assert.strictEqual(
      Secrets.fromConfig({ url: text }).scrub("it was hunter22"),
      "it was <redacted>"
    )
  })

  it.each([
    "http://sk_live_0123456789:@host/x",
    "https://sk_live_0123456789:x@host",
    "https://sk_live_0123456789@host"
  ])("finds the key in the place of a user, and its echo: %s", (url) => {
    const { scrub } = Secrets.fromConfig({ url })
    const { password, username } = new URL(url)
    const basic = Buffer.from(`${username}:${password}`).toString("base64")
    assert.notInclude(scrub(`no user sk_live_0123456789, Basic ${basic}`), "sk_live")
    assert.notInclude(scrub(`Basic ${basic}`), basic.slice(4, 16))
  })

  it("finds a short password in the echo of a login", () => {
    const basic = Buffer.from("operator:abc").toString("base64")
    const { scrub } = Secrets.fromConfig("https://operator:abc@host")
    assert.notInclude(scrub(`got Basic ${basic}`), basic.slice(0, 14))
    assert.notInclude(scrub("got operator:abc"), ":abc")
  })

  it("finds what is Redacted, wherever it lies", () => {
    const hidden = Redacted.make("s3cr3t-value")
    const circular: Record<string, unknown> = { hidden }
    circular["self"] = circular
    const places: ReadonlyArray<unknown> = [
      hidden,
      { hidden },
      [[hidden]],
      Option.some(hidden),
      new Map([["key", hidden]]),
      new Set([hidden]),
      Redacted.make({ inner: hidden }),
      circular
    ]
    for (const config of places) {
      assert.strictEqual(Secrets.fromConfig(config).scrub("a s3cr3t-value"), "a <redacted>")
    }
  })

  it("finds nothing where nothing is secret", () => {
    const config = {
      url: "sqlite:///data/bot.db",
      host: "example.com",
      port: 5432,
      on: true,
      no: null
    }
    assert.strictEqual(Secrets.fromConfig(config), Secrets.none)
  })

  it("merge scrubs what each of them does", () => {
    const { scrub } = Secrets.merge(
      Secrets.make(["first-secret"]),
      Secrets.none,
      Secrets.make(["second-secret"])
    )
    assert.strictEqual(scrub("first-secret second-secret"), "<redacted> <redacted>")
  })
})
