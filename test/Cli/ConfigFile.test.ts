import { assert, describe, it } from "@effect/vitest"
import { Effect, Option } from "effect"
import * as path from "node:path"
import * as ConfigFile from "../../src/Cli/ConfigFile.js"
import { within, type World } from "./inMemory.js"

const load = (world: World, flag?: string) =>
  Effect.provide(ConfigFile.load(Option.fromNullable(flag)), within(world))

/** The content of a file of this text. */
const contentOf = (text: string, variables: Record<string, string> = {}) =>
  load({ files: { "holter.config.yaml": text }, variables }).pipe(
    Effect.map(Option.getOrThrow),
    Effect.map((file) => file.content)
  )

/** Why such a file cannot be read at all. */
const issuesOf = (text: string) => Effect.flip(load({ files: { "holter.config.yaml": text } }))

/** What cannot be filled in. */
const unfilledOf = (text: string, variables: Record<string, string> = {}) =>
  load({ files: { "holter.config.yaml": text }, variables }).pipe(
    Effect.map(Option.getOrThrow),
    Effect.map((file) => file.issues)
  )

describe("ConfigFile, where it lies", () => {
  const files = { "holter.config.json": "{}", "holter.config.yml": "{}", "other.yaml": "{}" }
  const pathOf = (world: World, flag?: string) =>
    Effect.map(
      load(world, flag),
      Option.match({
        onNone: () => "none",
        onSome: (file) => path.relative("", file.path)
      })
    )

  it.effect("is the flag's, else HOLTER_CONFIG's, else in the working directory", () =>
    Effect.gen(function* () {
      const variables = { HOLTER_CONFIG: "other.yaml" }
      assert.strictEqual(
        yield* pathOf({ files, variables }, "holter.config.json"),
        "holter.config.json"
      )
      assert.strictEqual(yield* pathOf({ files, variables }), "other.yaml")
      assert.strictEqual(yield* pathOf({ files }), "holter.config.yml")
      const all = { ...files, "holter.config.yaml": "{}" }
      assert.strictEqual(yield* pathOf({ files: all }), "holter.config.yaml")
      assert.strictEqual(yield* pathOf({}), "none")
    })
  )

  it.effect("is told when the flag or the variable names none", () =>
    Effect.gen(function* () {
      for (const named of [
        load({}, "no.yaml"),
        load({ variables: { HOLTER_CONFIG: "no.yaml" } })
      ]) {
        const error = yield* Effect.flip(named)
        assert.include(error.message, path.resolve("no.yaml"))
        assert.include(error.message, "expected a configuration file that can be read")
        assert.include(error.message, "found no such file")
      }
      const both = yield* Effect.flip(
        load({ variables: { HOLTER_CONFIG: "a", HOLTER_CONFIG_FILE: "b" } })
      )
      assert.include(both.message, "HOLTER_CONFIG: expected only one of")
    })
  )

  it.effect("is told when it may not be read", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(load({ forbidden: ["closed.yaml"] }, "closed.yaml"))
      assert.include(error.message, "this user may not read")
    })
  )
})

describe("ConfigFile, as YAML and JSON", () => {
  it.effect("reads YAML, JSON, an empty file and one of comments", () =>
    Effect.gen(function* () {
      const expected = { name: "Bot", checks: { a: { type: "tcp", port: 1 } } }
      assert.deepStrictEqual(
        yield* contentOf("name: Bot\nchecks:\n  a: { type: tcp, port: 1 }\n"),
        expected
      )
      assert.deepStrictEqual(yield* contentOf(JSON.stringify(expected, null, "\t")), expected)
      assert.deepStrictEqual(yield* contentOf(""), {})
      assert.deepStrictEqual(yield* contentOf("# nothing yet\n"), {})
      assert.deepStrictEqual(yield* contentOf("\uFEFFname: Bot\r\n"), { name: "Bot" })
    })
  )

  it.effect("takes anchors and aliases, each filled in on its own", () =>
    Effect.gen(function* () {
      const content = yield* contentOf("a: &x { url: '${URL}' }\nb: *x\n", { URL: "u" })
      assert.deepStrictEqual(content, { a: { url: "u" }, b: { url: "u" } })
    })
  )

  it.effect("refuses what is too deep, too much by its aliases, or named __proto__", () =>
    Effect.gen(function* () {
      const nested = (count: number) =>
        Array.from({ length: count }, (_, level) => `${" ".repeat(level)}a:`).join("\n")
      const large = `large: &l {${Array.from({ length: 2000 }, (_, n) => `k${n}: 1`).join(", ")}}\n`
      const aliases = Array.from({ length: 95 }, (_, n) => `a${n}: *l`).join("\n")
      const wrongs = [
        ["[".repeat(3000) + "]".repeat(3000), "at most 64 levels"],
        ["[".repeat(100) + "]".repeat(100), "at most 64 levels"],
        [`a: ${"{a: ".repeat(3000)}`, "at most 64 levels"],
        ["- ".repeat(3000), "at most 64 levels"],
        [`${nested(400)} 1`, "at most 64 levels"],
        [large + aliases, "at most 50000 values"],
        ["checks:\n  __proto__: { type: memory }", "checks.__proto__: expected another name"],
        ['{"a": [{"__proto__": 1}]}', "a.0.__proto__: expected another name"]
      ] as const
      for (const [text, words] of wrongs) assert.include((yield* issuesOf(text)).message, words)
      const names = "checks:\n  constructor: { type: memory }\n  toString: { type: memory }"
      assert.deepStrictEqual(
        Object.keys(((yield* contentOf(names)) as { checks: object }).checks),
        ["constructor", "toString"]
      )
    })
  )

  it.effect("refuses aliases that grow without bound, lead nowhere or into themselves", () =>
    Effect.gen(function* () {
      const bomb = ["a0: &a0 [x, x]"]
      for (let n = 1; n < 12; n++) {
        bomb.push(`a${n}: &a${n} [${`*a${n - 1}, `.repeat(9)}*a${n - 1}]`)
      }
      assert.include((yield* issuesOf(bomb.join("\n"))).message, "too many aliases")
      assert.include((yield* issuesOf("a: *nowhere")).message, "does not stand before it")
      const [loop] = yield* unfilledOf("checks: &a\n  b: { c: [*a] }\n")
      assert.deepStrictEqual(loop?.path, ["checks", "b", "c", "0"])
    })
  )

  it.effect("refuses two checks of one name, and says where the second stands", () =>
    Effect.gen(function* () {
      for (const text of [
        "checks:\n  a: { type: tcp }\n  a: { type: dns }\n",
        '{ "checks":\n {\n  "a": {}, \n  "a": {} } }'.replace(", \n", ",\n")
      ]) {
        const error = yield* issuesOf(text)
        assert.include(error.message, "expected every key once (two checks need two names)")
        assert.match(error.message, /line [34], column 3/)
      }
    })
  )

  it.effect("says where the text is no YAML, and never quotes it", () =>
    Effect.gen(function* () {
      for (const text of [
        'checks:\n  a: "canary-secret\n',
        "token: |canary-secret\n x",
        "a: b\n]canary-secret",
        'a: "\\Ucanary-secret"',
        "- a\ncanary-secret b",
        "{ a: 1 } canary-secret",
        "a: 'x' canary-secret: 2",
        "a: [1, canary-secret",
        "\ttoken: canary-secret",
        "token: `canary-secret`",
        "a: canary-secret: b",
        "a: *canary-secret",
        "--- canary-secret\n---\nb: 1",
        '"canary-secret" "canary-secret"'
      ]) {
        const error = yield* issuesOf(text)
        assert.notMatch(error.message, /canary|anary-s/, text)
        assert.include(error.message, "expected valid YAML", text)
      }
      const error = yield* issuesOf("name: Bot\nchecks:\n  a: [1\n")
      assert.match(error.message, /line \d, column \d+: expected valid YAML, found Flow sequence/)
    })
  )

  it.effect("says that it is binary", () =>
    Effect.gen(function* () {
      const error = yield* issuesOf("SQLite format 3\0\u0010")
      assert.include(error.message, "expected a text file, found binary data")
    })
  )
})

describe("ConfigFile, its variables", () => {
  it.effect("fills in variables, alone and inside a text, at every depth", () =>
    Effect.gen(function* () {
      const content = yield* contentOf(
        'a: ${ONE}\nb: ["x", { c: "http://${HOST}:${PORT}/" }]\nd: 1\ne: null\nf: true\n',
        { ONE: "1", HOST: "h", PORT: "80" }
      )
      assert.deepStrictEqual(content, {
        a: "1",
        b: ["x", { c: "http://h:80/" }],
        d: 1,
        e: null,
        f: true
      })
    })
  )

  it.effect("takes the default where a variable is missing or empty", () =>
    Effect.gen(function* () {
      const text = "a: ${A:-one}\nb: ${B:-}\nc: ${C:-http://x:1/?a=b-c}\nd: ${D:-two}\n"
      assert.deepStrictEqual(yield* contentOf(text, { D: "set", A: "" }), {
        a: "one",
        b: "",
        c: "http://x:1/?a=b-c",
        d: "set"
      })
    })
  )

  it.effect("reads NAME_FILE too", () =>
    Effect.gen(function* () {
      const file = yield* load({
        files: { "holter.config.yaml": "a: ${TOKEN}", t: "from-file\n" },
        variables: { TOKEN_FILE: "t" }
      }).pipe(Effect.map(Option.getOrThrow))
      assert.deepStrictEqual(file.content, { a: "from-file" })
      assert.deepStrictEqual(file.secrets, ["from-file"])
    })
  )

  it.effect("leaves $${ as ${, and what is no reference alone", () =>
    Effect.gen(function* () {
      const text = "a: $${NAME}\nb: cost $5 {x} $\nc: a $${ b\nd: $${A}${ONE}\n"
      assert.deepStrictEqual(yield* contentOf(text, { ONE: "1" }), {
        a: "${NAME}",
        b: "cost $5 {x} $",
        c: "a ${ b",
        d: "${A}1"
      })
    })
  )

  it.effect("does not fill in what a variable's value says", () =>
    Effect.gen(function* () {
      const variables = { A: "${B} $1 $& $$", B: "never" }
      assert.deepStrictEqual(yield* contentOf("a: x${A}", variables), { a: "x${B} $1 $& $$" })
    })
  )

  it.effect("names every missing variable with its path, all at once", () =>
    Effect.gen(function* () {
      const issues = yield* unfilledOf(
        "checks:\n  a: { url: '${ONE}' }\n  b: ['${TWO}-${THREE}']\n"
      )
      const expected = (name: string) =>
        `the environment variable ${name} (or ${name}_FILE) to be set, or a default: \${${name}:-...}`
      assert.deepStrictEqual(issues, [
        { path: ["checks", "a", "url"], expected: expected("ONE"), found: "nothing" },
        { path: ["checks", "b", "0"], expected: expected("TWO"), found: "nothing" },
        { path: ["checks", "b", "0"], expected: expected("THREE"), found: "nothing" }
      ])
    })
  )

  it.effect("refuses what looks like a reference and is none, without quoting it", () =>
    Effect.gen(function* () {
      for (const text of ["${}", "${1A}", "${A-canary}", "${A B}", "${A:canary}", "${A", "x ${"]) {
        assert.deepStrictEqual(yield* unfilledOf(`a: ${JSON.stringify(text)}`, { A: "canary" }), [
          {
            path: ["a"],
            expected: "${NAME} or ${NAME:-default} (write $${ for a plain ${)",
            found: "a ${...} that is neither"
          }
        ])
      }
    })
  )

  it.effect("remembers what is secret, by the names of variables and of keys", () =>
    Effect.gen(function* () {
      const file = yield* load({
        files: {
          "holter.config.yaml": [
            "a: ${BOT_TOKEN}",
            "password: plain-text",
            "apiKey: x-${HOST}",
            "b: ${HOST}",
            "headers: { Authorization: Bearer abcdef }"
          ].join("\n")
        },
        variables: { BOT_TOKEN: "t0ken", HOST: "host" }
      }).pipe(Effect.map(Option.getOrThrow))
      assert.sameMembers([...file.secrets], ["t0ken", "plain-text", "x-host", "Bearer abcdef"])
      assert.deepStrictEqual([...file.interpolated], ["a", "b"])
    })
  )
})
