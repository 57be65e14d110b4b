/** The command channel, with real processes. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Either, Fiber, Redacted, Schema } from "effect"
import { readFileSync } from "node:fs"
import { readFile } from "node:fs/promises"
import * as path from "node:path"
import { AlertDocument } from "../../src/Alert/AlertDocument.js"
import { formatIssue } from "../../src/Plugin/ConfigIssue.js"
import { Command } from "../../src/plugins/Command.js"
import { alert } from "../Alert/alerts.js"
import * as TempDir from "../support/TempDir.js"
import { openChannel } from "./openChannel.js"

type Config = Parameters<typeof Command.layerStandalone>[0]

const open = (command: Config["command"], more: Partial<Config> = {}) =>
  openChannel(
    Command.layerStandalone({ command, ...more }, { name: "page", installation: "DMarket Bot" })
  )

const shell = (script: string, ...args: ReadonlyArray<string>): Config["command"] => [
  "/bin/sh",
  "-c",
  script,
  "sh",
  ...args
]

const opened = alert("opened", "redis", { channel: "page" })

/** Of a pipe: when a writer came and all of them left. */
const contentOf = (file: string) => Effect.promise(() => readFile(file, "utf8"))

describe("the command channel", () => {
  it.scopedLive("gets the alert as JSON and as variables, and of ours only what it needs", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("command")
      const { send } = yield* open(shell('cat > "$1/stdin"; env > "$1/env"', folder), {
        env: { PAGER_TOKEN: Redacted.make("pager-t0ken") }
      })
      yield* send(opened)
      const read = (name: string) => readFileSync(path.join(folder, name), "utf8")
      const document = yield* Schema.decodeUnknown(Schema.parseJson(AlertDocument))(read("stdin"))
      assert.strictEqual(document.title, "redis is unhealthy")
      const variables = new Map(
        [...read("env").matchAll(/^(\w+)=(.*)$/gm)].map(([, name = "", value = ""]) => [
          name,
          value
        ])
      )
      assert.deepInclude(Object.fromEntries(variables), {
        HOLTER_NAME: "DMarket Bot",
        HOLTER_ALERT_KEY: "redis-1/page/opened/0",
        HOLTER_ALERT_CHANNEL: "page",
        HOLTER_ALERT_KIND: "opened",
        HOLTER_ALERT_SEVERITY: "unhealthy",
        HOLTER_ALERT_TIME: "2026-01-01T00:00:00.000Z",
        HOLTER_ALERT_SERVICES: "redis",
        HOLTER_ALERT_TITLE: "redis is unhealthy",
        PAGER_TOKEN: "pager-t0ken"
      })
      assert.isTrue(variables.has("PATH"))
      // What the test runner sets for itself, as a bot sets its secrets.
      assert.isFalse(variables.has("VITEST"))
    })
  )

  it.scopedLive("has label, link and runbook of the service that is the cause", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("command")
      const { send } = yield* open(shell('env > "$1/env"; cat > "$1/stdin"', folder))
      const [subject] = opened.subjects
      const about = { label: "Cache", link: "https://g.example.com/", runbook: "Restart it" }
      yield* send({ ...opened, subjects: [{ ...subject, ...about }] })
      const env = readFileSync(path.join(folder, "env"), "utf8")
      assert.match(env, /^HOLTER_ALERT_LABEL=Cache$/m)
      assert.match(env, /^HOLTER_ALERT_LINK=https:\/\/g.example.com\/$/m)
      assert.match(env, /^HOLTER_ALERT_RUNBOOK=Restart it$/m)
      const text = readFileSync(path.join(folder, "stdin"), "utf8")
      const document = yield* Schema.decodeUnknown(Schema.parseJson(AlertDocument))(text)
      assert.deepInclude(document.services[0] ?? {}, { service: "redis", ...about })
    })
  )

  it.scopedLive("takes words as they are: there is no shell", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("command")
      const { send } = yield* open([
        "/bin/sh",
        "-c",
        'printf %s "$2" > "$1"',
        "sh",
        `${folder}/a b`,
        "$(id); '*'"
      ])
      yield* send(opened)
      assert.strictEqual(readFileSync(`${folder}/a b`, "utf8"), "$(id); '*'")
    })
  )

  it.scopedLive("does not mind a command that reads nothing, nor one that leaves something", () =>
    Effect.gen(function* () {
      const large = { ...opened, story: Array<string>(3000).fill("x".repeat(100)) }
      const unread = yield* open(["/bin/true"])
      yield* unread.send(large)
      // The one left behind holds the output open; who reads from the pipe ends it.
      const folder = yield* TempDir.make("command")
      const leaves = yield* open(shell('mkfifo "$1/end"; (cat "$1/end") & exit 0', folder))
      yield* leaves.send(opened)
      const ends = yield* open(shell('echo > "$1/end"', folder))
      yield* ends.send(opened)
    })
  )

  it.scopedLive("knows what passes from what does not, and says what the command said", () =>
    Effect.gen(function* () {
      const secret = "pager-t0ken"
      const cases = [
        [
          "echo out; echo gone wrong $TOKEN >&2; exit 3",
          "Transient",
          /exit code 3: out gone wrong <redacted>$/
        ],
        ["exit 75", "Transient", /exit code 75$/],
        ["echo no team >&2; exit 78", "Misconfigured", /exit code 78: no team; .*configuration/],
        ["kill -KILL $$", "Transient", /an end by SIGKILL$/]
      ] as const
      for (const [script, reason, words] of cases) {
        const { refused } = yield* open(shell(script), { env: { TOKEN: Redacted.make(secret) } })
        const error = yield* refused(opened)
        assert.match(error.message, words)
        assert.strictEqual(error.reason, reason)
        assert.notInclude(JSON.stringify(error), secret)
      }
      const missing = yield* (yield* open(["/none/at-all"])).refused(opened)
      assert.strictEqual(missing.reason, "Misconfigured")
      assert.include(missing.message, '"/none/at-all" (ENOENT)')
      const folder = yield* TempDir.make("command")
      const denied = yield* (yield* open([folder])).refused(opened)
      assert.include(denied.message, "(EACCES)")
    })
  )

  it.scopedLive("shows no part of a secret at the beginning of what was cut", () =>
    Effect.gen(function* () {
      const canary = "pager-t0ken-that-is-said"
      for (let behind = 283; behind < 300; behind += 3) {
        const script = `echo before $TOKEN ${"x".repeat(behind)} >&2; exit 1`
        const { refused } = yield* open(shell(script), { env: { TOKEN: Redacted.make(canary) } })
        const { message } = yield* refused(opened)
        assert.notMatch(message, /said|t0ken/)
        assert.match(message, /exit code 1: … (<redacted> )?x+$/)
      }
    })
  )

  it.scopedLive("ends a command that takes too long", () =>
    Effect.gen(function* () {
      const { refused } = yield* open(shell("exec sleep 60"), { timeout: "50 millis" })
      const error = yield* refused(opened)
      assert.strictEqual(error.reason, "Transient")
      assert.include(error.message, "longer than 50ms")
    })
  )

  it.scopedLive("ends it with all that it started, also what does not listen", () =>
    Effect.gen(function* () {
      const folder = yield* TempDir.make("command")
      const [began, held] = [path.join(folder, "began"), path.join(folder, "held")]
      yield* (yield* open(["mkfifo", began, held])).send(opened)
      const { send } = yield* open(
        shell(
          'trap "" TERM; exec 3> "$2"; (while :; do sleep 1; done) & echo yes > "$1"; wait; wait',
          began,
          held
        )
      )
      const sending = yield* Effect.fork(send(opened))
      // Comes to its end when no process of the group has it open any more.
      const allGone = yield* Effect.fork(contentOf(held))
      assert.strictEqual(yield* contentOf(began), "yes\n")
      yield* Fiber.interrupt(sending)
      assert.strictEqual(yield* Fiber.join(allGone), "")
    })
  )

  it("refuses what is no command, and has a limit of its own", () => {
    const wrong = { command: [], env: { "A B": "secret" }, timeout: 5 }
    const issues = Either.getOrElse(Either.flip(Command.decode(wrong)), () => []).map(formatIssue)
    assert.deepStrictEqual(
      issues.map((issue) => issue.split(":")[0]),
      ["command.0", "env.A B", "timeout"]
    )
    assert.isTrue(Either.isLeft(Command.decode({ command: "mail ops" })))
    assert.isTrue(Either.isLeft(Command.decode({ command: ["mail", ""] })))
  })

  it.scoped("has more time than its command", () =>
    Effect.gen(function* () {
      const { channel } = yield* open(["/bin/true"], { timeout: "30 seconds" })
      assert.deepStrictEqual(channel.timeout, Duration.seconds(35))
    })
  )
})
