import { assert, describe, it } from "@effect/vitest"
import { NodeContext } from "@effect/platform-node"
import { Effect, Layer, Option, Stream } from "effect"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import * as AlertPolicy from "../../src/Alert/AlertPolicy.js"
import * as ChannelRegistry from "../../src/Alert/ChannelRegistry.js"
import * as Notifier from "../../src/Alert/Notifier.js"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as CheckRunner from "../../src/Check/CheckRunner.js"
import * as JournalAccess from "../../src/Cli/Journal/JournalAccess.js"
import * as DatabaseUrl from "../../src/Common/DatabaseUrl.js"
import * as Alerting from "../../src/Monitor/Alerting.js"
import * as HealthMonitor from "../../src/Monitor/HealthMonitor.js"
import { Journal } from "../../src/Monitor/Journal.js"
import * as Cli from "../support/Cli.js"
import * as FreePort from "../support/FreePort.js"
import { PostgresServer } from "../support/PostgresServer.js"
import { describeConcurrentWithServices } from "../support/Services.js"
import * as TempDir from "../support/TempDir.js"
import { documentOf } from "./backup.js"
import * as Recorder from "./Journal/recorder.js"

const { minute, second, times } = Recorder

/** Redis is down for some minutes, up to now; web is well. */
const history = (now: number) =>
  Recorder.inOrder(
    Recorder.restarted(now - 30 * minute),
    ...Recorder.results("web", now - 2 * second, times(60, "healthy")),
    ...Recorder.results("redis", now, [...times(50, "healthy"), ...times(10, "unhealthy")])
  )

const config = (failureThreshold: number) => `heartbeat: { failureThreshold: ${failureThreshold} }
checks:
  redis: { type: tcp, host: 127.0.0.1, port: 1 }
  web: { type: http, url: "http://127.0.0.1:1/", critical: false }
alerts:
  channels: { ops: { type: webhook, url: "http://127.0.0.1:1/" } }
  routes:
    - { severity: unhealthy, to: [ops] }
    - { severity: degraded, to: [log] }
`

/** A folder with a journal in which this has happened; `holter` is run there. */
const recorded = (
  events: (now: number) => ReadonlyArray<Recorder.Event> = history,
  hanging: ReadonlyArray<string> = []
) =>
  Effect.gen(function* () {
    const cwd = yield* TempDir.make("watched")
    const file = path.join(cwd, "data", "holter.db")
    const now = yield* Effect.sync(() => Date.now())
    yield* Recorder.record({ _tag: "Sqlite", path: file }, events(now), hanging)
    return {
      file,
      cwd,
      holter: (...args: ReadonlyArray<string>) => Cli.run(args, { cwd, env: { USER: "anna" } }),
      requests: Effect.flatMap(Journal, (journal) => journal.requests).pipe(
        Effect.map(({ known }) => known.map(({ event }) => event)),
        Effect.provide(Recorder.access({ _tag: "Sqlite", path: file }))
      )
    }
  })

describe.concurrent("holter status", () => {
  it.scopedLive("says what a watching program found, and ends like a check", () =>
    Effect.gen(function* () {
      const { holter } = yield* recorded(history, ["ops"])
      const page = yield* holter("status")
      assert.strictEqual(page.code, 2, page.stderr)
      assert.strictEqual(page.stderr, "")
      assert.match(page.stdout, /^❌ unhealthy: redis\n {3}holter watch runs/)
      assert.match(
        page.stdout,
        /redis: unhealthy since .*; no channel has been notified yet .*; pending for: ops/
      )
      assert.match(page.stdout, /that no channel has taken yet:\n {2}ops: opened, redis/)
      const document = documentOf(yield* holter("status", "--json"))
      assert.strictEqual(document["overall_status"], "unhealthy")
      assert.deepStrictEqual(document["failure_counts"], { redis: 10, web: 0 })
      assert.containsAllKeys(document, ["timestamp", "services", "success_counts", "outbox"])
    })
  )

  it.scopedLive("knows nothing once nobody watches any more", () =>
    Effect.gen(function* () {
      const { holter } = yield* recorded((now) => history(now - 60 * minute))
      const page = yield* holter("status")
      assert.strictEqual(page.code, 3)
      assert.match(page.stdout, /Nothing is known now; it was unhealthy/)
      assert.match(page.stdout, /does not seem to run/)
    })
  )

  it.scopedLive("looks well on a terminal", () =>
    Effect.gen(function* () {
      const { cwd } = yield* recorded()
      const page = yield* Cli.pty(["status"], { cwd, env: { LANG: "C" } })
      assert.strictEqual(page.code, 2)
      assert.include(page.stdout, "\u001b[31m[unhealthy]\u001b[0m unhealthy: redis")
    })
  )
})

describe.concurrent("label, link and runbook of a check", () => {
  it.scopedLive("are on the pages and in the documents of status and why", () =>
    Effect.gen(function* () {
      const { cwd, holter } = yield* recorded()
      const about = {
        label: "Session cache",
        link: "https://grafana.example.com/d/1",
        runbook: "Restart it, then look at \u2028https://wiki.example.com/redis"
      }
      writeFileSync(
        path.join(cwd, "holter.config.json"),
        JSON.stringify({
          checks: { redis: { type: "tcp", host: "127.0.0.1", port: 1, ...about } }
        })
      )
      const runbook = "Runbook: Restart it, then look at  https://wiki.example.com/redis"
      const status = yield* holter("status")
      assert.match(status.stdout, /^❌ unhealthy: Session cache \(redis\)$/m)
      assert.match(status.stdout, /^❌ Session cache \(redis\) +unhealthy/m)
      assert.include(status.stdout, `\n  Session cache (redis): ${runbook.replace("  ", " ")}\n`)
      assert.include(status.stdout, `\n  Session cache (redis): Link: ${about.link}\n`)
      const why = yield* holter("why", "redis")
      assert.match(why.stdout, /^❌ Session cache \(redis\) is unhealthy since/)
      assert.include(why.stdout, `\n   Link: ${about.link}\n`)
      const services = documentOf(yield* holter("status", "--json"))["services"]
      assert.deepInclude((services as Readonly<Record<string, object>>)["redis"] ?? {}, about)
      assert.deepInclude(documentOf(yield* holter("why", "redis", "--json")), about)
    })
  )
})

describe.concurrent("a check that was removed", () => {
  it.scopedLive("is explained by what the journal knows, without thresholds", () =>
    Effect.gen(function* () {
      const { cwd, holter } = yield* recorded()
      writeFileSync(path.join(cwd, "holter.config.yaml"), "checks: { memory: { type: memory } }")
      const page = yield* holter("why", "redis")
      assert.strictEqual(page.code, 0, page.stderr)
      assert.include(page.stdout, "The configuration does not check it any more")
      assert.notMatch(page.stdout, /a result is due every/)
      const document = documentOf(yield* holter("why", "redis", "--json"))
      assert.deepInclude(document, { configured: false, thresholds: null })
      // Of a configuration that cannot be used it is not known what it names.
      writeFileSync(path.join(cwd, "holter.config.yaml"), "checks: { memory: { type: nosuch } }")
      assert.match((yield* holter("why", "redis")).stdout, /a result is due every/)
    })
  )
})

describe.concurrent("the zone of who reads", () => {
  it.scopedLive(
    "is that of the machine, unless alerts.timeZone names one; times are typed in it",
    () =>
      Effect.gen(function* () {
        const { cwd } = yield* recorded()
        const why = (...more: ReadonlyArray<string>) =>
          Cli.run(["why", "redis", ...more], { cwd, env: { TZ: "Asia/Tokyo" } })
        const here = yield* why()
        assert.match(here.stdout, /unhealthy since \S+ \S+ \+09:00 \(/)
        assert.include(here.stdout, "\nWhat happened (Asia/Tokyo):\n")
        const [, asked = ""] = / since (\S+ \S+) \+09:00/.exec(here.stdout) ?? []
        const then = documentOf(yield* why("--at", asked, "--json"))
        assert.strictEqual(Date.parse(then["at"] as string), Date.parse(`${asked}+09:00`))
        writeFileSync(
          path.join(cwd, "holter.config.yaml"),
          `${config(3)}  timeZone: Australia/Brisbane\n`
        )
        assert.match((yield* why()).stdout, /unhealthy since \S+ \S+ \+10:00 \(/)
      })
  )
})

describe.concurrent("holter why", () => {
  it.scopedLive("tells which rule decided, and who was told", () =>
    Effect.gen(function* () {
      const { cwd, holter } = yield* recorded()
      writeFileSync(path.join(cwd, "holter.config.yaml"), config(3))
      const page = yield* holter("why", "redis")
      assert.strictEqual(page.code, 0, page.stderr)
      assert.match(page.stdout, /^❌ redis is unhealthy since/)
      assert.match(page.stdout, /Notified: ops \(opened\) at /)
      assert.match(page.stdout, /3 failures in a row open an incident/)
      assert.match(page.stdout, /rule "threshold": connection refused: failure 1 of the 3/)
      const before = yield* holter("why", "redis", "--at", "20 minutes ago", "--json")
      assert.strictEqual(documentOf(before)["incident"], null)
      assert.strictEqual(before.stderr, "")
    })
  )

  it.scopedLive("tells what is only owed from what was delivered", () =>
    Effect.gen(function* () {
      const { holter } = yield* recorded(history, ["ops"])
      const page = yield* holter("why", "redis")
      assert.match(page.stdout, / {3}Not delivered yet: ops \(opened\), queued since /)
      assert.match(page.stdout, / not taken by ops \(opened, rule "threshold"\)/)
      assert.notMatch(page.stdout, /[Tt]old:? ops/)
      const document = documentOf(yield* holter("why", "redis", "--json"))
      const [told] = document["told"] as ReadonlyArray<Readonly<Record<string, unknown>>>
      assert.deepInclude(told?.["delivery"], { state: "queued", at: null, last_error: null })
    })
  )

  it.scopedLive("does so with a configuration that cannot be used, and says that", () =>
    Effect.gen(function* () {
      const { cwd, holter } = yield* recorded()
      writeFileSync(path.join(cwd, "holter.config.yaml"), "checks: { redis: { type: nothing } }\n")
      const page = yield* holter("why", "redis")
      assert.strictEqual(page.code, 0)
      assert.match(page.stdout, /Notified: ops/)
      assert.match(page.stderr, /the configuration cannot be used/)
    })
  )

  it.scopedLive("refuses what is no service and no time", () =>
    Effect.gen(function* () {
      const { holter } = yield* recorded()
      const service = yield* holter("why", "postgres")
      assert.strictEqual(service.code, 64)
      assert.include(service.stderr, 'known: redis, web), found "postgres"')
      for (const time of ["25:00", "tomorrow", "2999-01-01"]) {
        const page = yield* holter("why", "redis", "--at", time)
        assert.strictEqual(page.code, 64, time)
        assert.include(page.stderr, `found "${time}"`)
      }
    })
  )
})

describe.concurrent("holter silence, unsilence and ack", () => {
  it.scopedLive("leave their word in the journal", () =>
    Effect.gen(function* () {
      const { holter, requests } = yield* recorded()
      const silence = yield* holter("silence", "redis", "web", "--for", "2h", "--why", "deploy")
      assert.strictEqual(silence.code, 0, silence.stderr)
      assert.match(silence.stdout, /holter watch takes this within/)
      const id = /silence ([0-9a-f]{8})\n/.exec(silence.stdout)?.[1] ?? ""
      const waiting = yield* holter("status")
      assert.include(waiting.stdout, "1 request not taken by it yet")
      assert.strictEqual((yield* holter("unsilence", id)).code, 0)
      assert.strictEqual((yield* holter("ack", "redis")).code, 0)
      const taken = yield* requests
      assert.deepStrictEqual(
        taken.map(({ _tag }) => _tag),
        ["Silenced", "Unsilenced", "Acknowledged"]
      )
      const [first, second_, third] = taken
      assert.deepInclude(first, { id, services: ["redis", "web"], why: "deploy" })
      assert.isTrue(first?._tag === "Silenced" && first.until === first.at + 120 * minute)
      assert.deepInclude(second_, { id })
      assert.deepInclude(third, { service: "redis", by: "anna" })
    })
  )

  it.scopedLive("say that nobody is there to take it", () =>
    Effect.gen(function* () {
      const { holter } = yield* recorded((now) => history(now - 60 * minute))
      const silence = yield* holter("silence", "--all", "--until", "03:00")
      assert.strictEqual(silence.code, 0)
      assert.match(silence.stdout, /every service until .* 03:00:00 UTC/)
      assert.match(silence.stdout, /does not seem to run: it takes this when it starts/)
    })
  )

  it.scopedLive("refuse what makes no sense, and leave nothing", () =>
    Effect.gen(function* () {
      const { holter, requests } = yield* recorded()
      const wrong = [
        [["silence", "redis"], "--for SPAN or --until TIME, found neither"],
        [["silence", "redis", "--for", "1h", "--until", "03:00"], "found both"],
        [["silence", "--for", "1h"], "names of services, or --all, found neither"],
        [["silence", "redis", "--all", "--for", "1h"], "found both"],
        [["silence", "redis", "--for", "soon"], 'found "soon"'],
        [["silence", "redis", "--until", "2020-01-01"], "a time yet to come"],
        [["silence", "postgres", "--for", "1h"], "known: redis, web"],
        [["silence", "redis", "--for"], "--for: expected a value"],
        [["unsilence"], "found neither"],
        [["unsilence", "nothing"], "there is none"],
        [["ack", "postgres"], "known: redis, web"]
      ] as const
      for (const [args, text] of wrong) {
        const page = yield* holter(...args)
        assert.strictEqual(page.code, 64, args.join(" "))
        assert.include(page.stderr, text)
        assert.strictEqual(page.stdout, "")
      }
      const nothing = yield* holter("ack", "web")
      assert.strictEqual(nothing.code, 1)
      assert.include(nothing.stderr, "no incident of web is open")
      assert.deepStrictEqual(yield* requests, [])
    })
  )

  it.scopedLive("a program that watches takes it", () =>
    Effect.gen(function* () {
      const { cwd, file } = yield* recorded()
      yield* Effect.gen(function* () {
        const alerting = yield* Alerting.Alerting
        const heard = yield* alerting.decisions.pipe(
          Stream.filter(({ rule }) => rule === "silence"),
          Stream.runHead,
          Effect.fork
        )
        yield* Cli.run(["silence", "--all", "--for", "1h", "--why", "moving"], { cwd })
        const decision = Option.getOrThrow(yield* heard)
        assert.include(decision.why, "moving")
        assert.strictEqual((yield* alerting.state).quiets.length, 1)
      }).pipe(Effect.provide(watching(file)))
    })
  )
})

describe.concurrent("holter maintenance", () => {
  const tags = (events: ReadonlyArray<AlertPolicy.Event.Event>) => events.map(({ _tag }) => _tag)

  it.scopedLive("leaves its word in the journal: for services or for all, and with an end", () =>
    Effect.gen(function* () {
      const { holter, requests } = yield* recorded()
      const started = yield* holter(
        ...["maintenance", "start", "--for", "2h", "--why", "new disks", "redis", "web"]
      )
      assert.strictEqual(started.code, 0, started.stderr)
      assert.match(
        started.stdout,
        /^✅ Maintenance of redis, web until .* UTC \(2h\): [0-9a-f]{8} \(new disks\)\n/
      )
      assert.include(started.stdout, "holter maintenance stop redis web ends it before")
      assert.match(started.stdout, /holter watch takes this within/)
      const all = yield* holter("maintenance", "start", "--all")
      assert.include(all.stdout, "holter maintenance stop --all ends it before")
      assert.match(all.stdout, /^✅ Maintenance of every service until .* UTC \((60m|1h)\): /)
      const [first, second_] = yield* requests
      assert.deepInclude(first, { services: ["redis", "web"], why: "new disks" })
      assert.isTrue(first?._tag === "MaintenanceStarted" && first.until === first.at + 120 * minute)
      assert.deepInclude(second_, { services: null, why: "by hand" })
      assert.isTrue(
        second_?._tag === "MaintenanceStarted" && second_.until === second_.at + 60 * minute
      )
    })
  )

  it.scopedLive("stops for some services, or for all that is left", () =>
    Effect.gen(function* () {
      const { holter, requests } = yield* recorded()
      yield* holter("maintenance", "start", "--all")
      const web = yield* holter("maintenance", "stop", "web")
      assert.match(web.stdout, /Maintenance [0-9a-f]{8} goes on for redis only/)
      const again = yield* holter("maintenance", "stop", "web")
      assert.strictEqual(again.code, 1)
      assert.include(again.stderr, "there is no maintenance of web that was begun by hand")
      const rest = yield* holter("maintenance", "stop", "--all")
      assert.match(rest.stdout, /Ended: maintenance [0-9a-f]{8} of redis\./)
      const none = yield* holter("maintenance", "stop", "--all")
      assert.strictEqual(none.code, 1)
      const left = yield* requests
      assert.deepStrictEqual(tags(left), [
        "MaintenanceStarted",
        "MaintenanceStarted",
        "MaintenanceEnded"
      ])
      const [first, second_, third] = left
      const id = first?._tag === "MaintenanceStarted" ? first.id : ""
      assert.deepInclude(second_, { id, services: ["redis"] })
      assert.deepInclude(third, { id })
    })
  )

  it.scopedLive("does not end a window of the configuration, and says so", () =>
    Effect.gen(function* () {
      const { holter, requests } = yield* recorded((now) =>
        Recorder.inOrder(...history(now), {
          _tag: "MaintenanceStarted",
          at: now,
          id: "window:nightly",
          services: null,
          until: now + 60 * minute,
          why: "nightly"
        })
      )
      const page = yield* holter("maintenance", "stop", "redis")
      assert.strictEqual(page.code, 1)
      assert.match(
        page.stderr,
        /The window "nightly" of the configuration, of every service, is open until .* UTC: change it in the file/
      )
      assert.deepStrictEqual(yield* requests, [])
    })
  )

  it.scopedLive("refuses what makes no sense, and leaves nothing", () =>
    Effect.gen(function* () {
      const { holter, requests } = yield* recorded()
      const wrong = [
        [
          ["start", "--all", "--for", "1h", "--until", "03:00"],
          "--for SPAN or --until TIME, found both"
        ],
        [["start", "web", "--for", "soon"], 'found "soon"'],
        [["start", "web", "--until", "2020-01-01"], "a time yet to come"],
        [["start", "postgres"], 'known: redis, web), found "postgres"'],
        [["start", "web", "--why"], "--why: expected a value"],
        [["start"], "maintenance start: expected names of services, or --all, found neither"],
        [["start", "--all", "web"], "expected names of services, or --all, found both"],
        [["stop"], "maintenance stop: expected names of services, or --all, found neither"],
        [["stop", "web", "--all"], "expected names of services, or --all, found both"],
        [["stop", "postgres"], "known: redis, web"],
        [["pause"], "Invalid subcommand"]
      ] as const
      for (const [args, text] of wrong) {
        const page = yield* holter("maintenance", ...args)
        assert.strictEqual(page.code, 64, args.join(" "))
        assert.include(page.stderr, text)
        assert.strictEqual(page.stdout, "")
      }
      assert.deepStrictEqual(yield* requests, [])
    })
  )
})

const watching = (file: string) =>
  Alerting.layer({}).pipe(
    Layer.provide(Notifier.layer()),
    Layer.provide(HealthMonitor.layer),
    Layer.provide(Layer.mergeAll(CheckRegistry.layer, CheckRunner.layer(), ChannelRegistry.layer)),
    Layer.provide(JournalAccess.layer({ url: { _tag: "Sqlite", path: file }, retain: undefined })),
    Layer.provide(NodeContext.layer)
  )

describe.concurrent("holter simulate", () => {
  it.scopedLive("compares what was sent with what another configuration would have sent", () =>
    Effect.gen(function* () {
      const { cwd, holter } = yield* recorded()
      writeFileSync(path.join(cwd, "same.yaml"), config(3))
      writeFileSync(path.join(cwd, "patient.yaml"), config(20))
      const same = documentOf(yield* holter("simulate", "--config", "same.yaml", "--json"))
      assert.deepStrictEqual(same["summary"], [
        { channel: "ops", was_sent: 1, would_be_sent: 1, in_both: 1 }
      ])
      assert.strictEqual(same["results"], 120)
      const page = yield* holter("simulate", "--config", "patient.yaml")
      assert.strictEqual(page.code, 0, page.stderr)
      assert.match(page.stdout, /^Replayed 120 results/)
      assert.match(page.stdout, /ops +1 +0 +0\n/)
      assert.match(page.stdout, /redis is unhealthy +-\n/)
      const later = yield* holter("simulate", "-c", "same.yaml", "--since", "2 min ago", "--json")
      assert.isBelow(Number(documentOf(later)["results"]), 12)
    })
  )

  it.scopedLive("leaves out what the other configuration does not check, and says so", () =>
    Effect.gen(function* () {
      const { cwd, holter } = yield* recorded()
      writeFileSync(path.join(cwd, "less.yaml"), "checks: { web: { type: memory } }\n")
      const page = yield* holter("simulate", "--config", "less.yaml")
      assert.match(page.stdout, /^Replayed 60 results/)
      assert.match(
        page.stdout,
        /\nLeft out: 60 results and 1 alert of 1 service that .*\(redis\)\n/
      )
    })
  )

  it.scopedLive("tells on a terminal how far it is", () =>
    Effect.gen(function* () {
      const { cwd } = yield* recorded()
      writeFileSync(path.join(cwd, "holter.config.yaml"), config(3))
      const page = yield* Cli.pty(["simulate"], { cwd })
      assert.strictEqual(page.code, 0)
      assert.match(page.stdout, /Replaying {2}\d+ % {2}120 results/)
      assert.match(page.stdout, /Replayed 120 results/)
    })
  )

  it.scopedLive("refuses a configuration that cannot be used", () =>
    Effect.gen(function* () {
      const { cwd, holter } = yield* recorded()
      writeFileSync(path.join(cwd, "new.yaml"), config(0))
      const page = yield* holter("simulate", "--config", "new.yaml")
      assert.strictEqual(page.code, 78)
      assert.include(page.stderr, "heartbeat.failureThreshold")
      assert.strictEqual((yield* holter("simulate", "--since", "soon")).code, 64)
    })
  )
})

describe.concurrent("holter reload", () => {
  it.scopedLive("says that nobody watches, where nobody answers", () =>
    Effect.gen(function* () {
      const { holter } = yield* recorded((now) => history(now - 60 * minute))
      const page = yield* holter("reload")
      assert.strictEqual(page.code, 1)
      assert.include(page.stderr, "no holter watch seems to run on this journal: start it")
      assert.strictEqual(page.stdout, "")
    })
  )
})

describe.concurrent("commands on a journal", () => {
  const all = [
    [["status"], 3],
    [["why", "redis"], 1],
    [["silence", "--all", "--for", "1h"], 1],
    [["ack", "redis"], 1],
    [["maintenance", "start", "--all"], 1],
    [["maintenance", "stop", "--all"], 1],
    [["reload"], 1],
    [["simulate"], 1]
  ] as const

  it.scopedLive("that is not there say so, and do not make one", () =>
    Effect.gen(function* () {
      for (const [args, code] of all) {
        const page = yield* Cli.run(args)
        assert.strictEqual(page.code, code, args.join(" "))
        assert.match(page.stderr, /data\/holter\.db holds nothing yet.*`holter watch`/)
        assert.isFalse(existsSync(path.join(page.cwd, "data")))
      }
    })
  )

  it.scopedLive("that is damaged leave it as it is, and say how to go on", () =>
    Effect.gen(function* () {
      const text = "this is no database, but it is long enough to be one".repeat(50)
      for (const [args, code] of all) {
        const page = yield* Cli.run(args, { files: { "data/holter.db": text } })
        assert.strictEqual(page.code, code, args.join(" "))
        assert.include(page.stderr, "HOLTER_JOURNAL_URL")
        assert.strictEqual(readFileSync(path.join(page.cwd, "data/holter.db"), "utf8"), text)
      }
      const page = yield* Cli.run(["why", "redis", "--json"], { files: { "data/holter.db": text } })
      assert.deepInclude(documentOf(page)["error"], { reason: "Corrupt" })
    })
  )

  it.scopedLive("that cannot be reached say where it is, and not the password", () =>
    Effect.gen(function* () {
      const port = yield* FreePort.find
      const env = { HOLTER_JOURNAL_URL: `postgresql://h:s3cr3t-word@127.0.0.1:${port}/bot` }
      const page = yield* Cli.run(["status", "--json"], { env })
      assert.strictEqual(page.code, 3)
      assert.include(page.stderr, `bot on 127.0.0.1:${port}`)
      assert.notInclude(page.stdout + page.stderr, "s3cr3t-word")
      const wrong = yield* Cli.run(["status"], {
        env: { HOLTER_JOURNAL_URL: "mysql://u:s3cr3t@h" }
      })
      assert.strictEqual(wrong.code, 78)
      assert.include(wrong.stderr, "HOLTER_JOURNAL_URL")
      assert.notInclude(wrong.stderr, "s3cr3t")
    })
  )
})

describeConcurrentWithServices("postgres", "commands on a journal in PostgreSQL", () => {
  it.scopedLive("do the same", () =>
    Effect.gen(function* () {
      const server = yield* PostgresServer.make()
      const url = Option.getOrThrow(Option.getRight(DatabaseUrl.parse(server.url)))
      const env = { HOLTER_JOURNAL_URL: server.url }
      const empty = yield* Cli.run(["status"], { env })
      assert.strictEqual(empty.code, 3)
      assert.include(empty.stderr, "holds nothing yet")
      const now = yield* Effect.sync(() => Date.now())
      yield* Recorder.record(url, history(now))
      const files = { "holter.config.yaml": config(20) }
      const status = yield* Cli.run(["status"], { env, files })
      assert.strictEqual(status.code, 2, status.stderr)
      const why = yield* Cli.run(["why", "redis"], { env, files })
      assert.match(why.stdout, /Notified: ops/)
      const simulate = yield* Cli.run(["simulate"], { env, files })
      assert.match(simulate.stdout, /ops +1 +0 +0\n/)
      const silence = yield* Cli.run(["silence", "redis", "--for", "1h"], { env, files })
      assert.strictEqual(silence.code, 0, silence.stderr)
      const { known } = yield* Effect.flatMap(Journal, (journal) => journal.requests).pipe(
        Effect.provide(Recorder.access(url))
      )
      assert.strictEqual(known[0]?.event._tag, "Silenced")
    })
  )
})
