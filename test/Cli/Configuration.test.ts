import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as Configuration from "../../src/Cli/Configuration.js"
import * as Pieces from "../../src/Cli/Watch/Pieces.js"
import { within } from "./inMemory.js"

type Variables = Readonly<Record<string, string>>

const load = (variables: Variables, file?: string) =>
  Configuration.load(Option.none()).pipe(
    Effect.provide(
      within({ variables, files: file === undefined ? {} : { "holter.config.yaml": file } })
    )
  )

/** `name: expected, found` of all that is wrong. */
const issuesOf = (variables: Variables, file?: string) =>
  Effect.flatMap(Effect.flip(load(variables, file)), (error) =>
    error._tag === "ConfigurationError"
      ? Effect.succeed(error.issues)
      : Effect.dieMessage(error.message)
  )

const pathsOf = (variables: Variables, file?: string) =>
  Effect.map(issuesOf(variables, file), (issues) => issues.map(({ path }) => path.join(".")))

/** The policy that a service ends up with. */
const policyOf = (configuration: Configuration.Configuration, name: string) =>
  Effect.scoped(
    Effect.gen(function* () {
      const one = configuration.services.find((service) => service.name === name)
      if (one === undefined) return yield* Effect.dieMessage(`no service ${name}`)
      yield* Layer.build(one.layer)
      const registry = yield* CheckRegistry.CheckRegistry
      const check = yield* Effect.flatten(registry.find(name))
      return check.policy
    })
  ).pipe(Effect.provide(CheckRegistry.layer))

const shown = (configuration: Configuration.Configuration) =>
  configuration.services.map(({ configured, name }) => (configured ? name : `(${name})`))

/** Whether the only check of both files is one and the same to a watch. */
const isKept = (before: string, after: string) =>
  Effect.gen(function* () {
    const [one, other] = [yield* load({}, before), yield* load({}, after)]
    return Pieces.same(one.services[0]?.entry, other.services[0]?.entry)
  })

const database = { DATABASE_URL: "sqlite:////var/bot.db" }
const tcp = (fields: string) => `checks:\n  gateway: { type: tcp, host: h, ${fields} }\n`

describe("Configuration, the services", () => {
  it.effect("are the same when they are read again, also those that are tried again", () =>
    Effect.gen(function* () {
      const file = `heartbeat: { interval: 20 seconds }\n${tcp("port: 1, retry: { times: 3, base: 1 second }")}`
      assert.isTrue(yield* isKept(file, file))
      assert.isTrue(yield* isKept(file, file.replace("1 second", "1000 millis")))
      assert.isFalse(yield* isKept(file, file.replace("times: 3", "times: 4")))
      assert.isFalse(yield* isKept(file, file.replace("1 second", "2 seconds")))
      assert.isFalse(yield* isKept(file, file.replace("20 seconds", "21 seconds")))
    })
  )

  it.effect("are the four known ones without a file, in the order of the output", () =>
    Effect.gen(function* () {
      const one = yield* load(database)
      assert.deepStrictEqual(shown(one), ["(telegram_api)", "(dmarket_api)", "database", "(redis)"])
      assert.deepStrictEqual(
        one.services.map(({ label }) => label),
        ["Telegram API", "DMarket API", "database", "Redis"]
      )
      // The others have no results, and are not to be taken for checks that went silent.
      const { policy } = yield* one.alerts
      assert.deepStrictEqual([...policy.checks.keys()], ["database"])
      assert.strictEqual(one.name, "Holter")
      assert.strictEqual(one.source, "environment")
    })
  )

  it.effect("are checked when their variable is set", () =>
    Effect.gen(function* () {
      const all = yield* load({
        ...database,
        TELEGRAM_BOT_TOKEN: "1:token",
        DMARKET_API_URL: "http://127.0.0.1:1",
        REDIS_URL: "redis://127.0.0.1:1"
      })
      assert.deepStrictEqual(shown(all), ["telegram_api", "dmarket_api", "database", "redis"])
      // The place of an API is no reason to check it, where it is of no use without a token.
      const place = yield* load({ ...database, TELEGRAM_API_URL: "http://127.0.0.1:1" })
      assert.include(shown(place), "(telegram_api)")
    })
  )

  it.effect("are those of the file and of the environment where there is a file", () =>
    Effect.gen(function* () {
      const file = `${tcp("port: 1")}  redis: { type: redis, url: "redis://r" }\n`
      assert.deepStrictEqual(shown(yield* load(database, file)), ["database", "gateway", "redis"])
      assert.deepStrictEqual(shown(yield* load({}, file)), ["gateway", "redis"])
    })
  )

  it.effect("hide the password of a proxy, as it is and as it is sent", () =>
    Effect.gen(function* () {
      for (const name of ["HTTP_PROXY", "https_proxy"]) {
        const { secrets } = yield* load(
          { [name]: "http://bot:canary-pw@proxy:3128" },
          "checks:\n  web: { type: tcp, host: h, port: 1 }\n"
        )
        const sent = Buffer.from("bot:canary-pw").toString("base64")
        assert.notInclude(secrets.scrub("a canary-pw"), "canary")
        assert.notInclude(secrets.scrub(`Proxy-Authorization: Basic ${sent}`), sent)
      }
    })
  )

  it.effect("take from the environment what the file leaves out, and the file goes before", () =>
    Effect.gen(function* () {
      const file = "checks:\n  redis: { type: redis, critical: false }\n"
      const one = yield* load({ REDIS_URL: "redis://:canary-env@r" }, file)
      assert.deepStrictEqual(shown(one), ["redis"])
      const both = 'checks:\n  database: { type: database, url: "nope://x" }\n'
      assert.deepStrictEqual(yield* pathsOf(database, both), ["checks.database.url"])
    })
  )

  it.effect("may have another type under a known name, with no variable of the other", () =>
    Effect.gen(function* () {
      const file = "checks:\n  database: { type: tcp, host: h, port: 5432 }\n"
      const one = yield* load(database, file)
      assert.deepStrictEqual(shown(one), ["database"])
      const [service] = one.services
      assert.strictEqual((yield* policyOf(one, "database")).group, "readiness")
      assert.strictEqual(service?.label, "database")
    })
  )

  it.effect("carry the policy and the fields of their plugin side by side", () =>
    Effect.gen(function* () {
      const one = yield* load(
        {},
        tcp(
          "port: 1, timeout: 2 seconds, interval: 1 minute, critical: false, group: liveness, retry: { times: 2 }, dependsOn: [database], failureThreshold: 5"
        )
      )
      const policy = yield* policyOf(one, "gateway")
      assert.strictEqual(
        Number(policy.timeout.value._tag === "Millis" && policy.timeout.value.millis),
        2000
      )
      assert.strictEqual(policy.critical, false)
      assert.strictEqual(policy.group, "liveness")
      assert.strictEqual(policy.failureThreshold, 5)
      assert.deepStrictEqual(policy.dependsOn, ["database"])
      assert.isDefined(policy.retry)
    })
  )

  it.effect("have a label, a link and a runbook, which alerts take along", () =>
    Effect.gen(function* () {
      const guidance = {
        label: "Gateway (eu)",
        link: "https://grafana.example.com/d/1?token=<redacted>",
        runbook: "https://wiki.example.com/gateway"
      }
      const configuration = yield* load(
        { ...database, REDIS_URL: "redis://r/" },
        tcp(
          `port: 1, label: "Gateway (eu)", runbook: "${guidance.runbook}", link: "https://grafana.example.com/d/1?token=s3cr3t-canary"`
        ).concat("  redis: { type: redis, label: Cache }\n")
      )
      assert.deepInclude(
        configuration.services.find(({ name }) => name === "gateway"),
        guidance
      )
      const { policy } = yield* configuration.alerts
      assert.deepInclude(policy.checks.get("gateway"), guidance)
      assert.strictEqual(policy.checks.get("redis")?.label, "Cache")
    })
  )

  it.effect("take from the heartbeat what they do not say themselves", () =>
    Effect.gen(function* () {
      const heartbeat = "heartbeat: { timeout: 3 seconds, failureThreshold: 7 }\n"
      const other = "  other: { type: tcp, host: h, port: 2, timeout: 4 seconds }\n"
      const one = yield* load(database, `${heartbeat}${tcp("port: 1")}${other}`)
      const millis = (name: string) =>
        Effect.map(policyOf(one, name), ({ timeout }) =>
          timeout.value._tag === "Millis" ? timeout.value.millis : -1
        )
      assert.strictEqual(yield* millis("gateway"), 3000)
      assert.strictEqual(yield* millis("other"), 4000)
      assert.strictEqual(yield* millis("database"), 3000)
      assert.strictEqual((yield* policyOf(one, "other")).failureThreshold, 7)
    })
  )
})

describe("Configuration, its name and warnings", () => {
  it.effect("is called what the file says, else HOLTER_NAME", () =>
    Effect.gen(function* () {
      const variables = { ...database, HOLTER_NAME: "From variable" }
      assert.strictEqual((yield* load(variables)).name, "From variable")
      assert.strictEqual((yield* load(variables, "name: From file")).name, "From file")
    })
  )

  it.effect("warns of sections that this version does not use", () =>
    Effect.gen(function* () {
      const one = yield* load(database, "shutdown: {}\nstatus: {}\nbackup: { keep: 7 }\n")
      assert.lengthOf(one.warnings, 1)
      assert.match(one.warnings.join(), /"status" is not used/)
    })
  )
})

describe("Configuration, numbers from variables", () => {
  it.effect("stand where a number or a boolean is expected, at any depth", () =>
    Effect.gen(function* () {
      const variables = { PORT: "5432", COUNT: "4", FLAG: "false" }
      const one = yield* load(
        variables,
        `heartbeat: { recoveryThreshold: "\${COUNT}" }\n${tcp(
          'port: "${PORT}", failureThreshold: "${COUNT}", critical: "${FLAG}", retry: { times: "${COUNT}" }'
        )}`
      )
      const policy = yield* policyOf(one, "gateway")
      assert.deepInclude(policy, { failureThreshold: 4, recoveryThreshold: 4, critical: false })
    })
  )

  it.effect("stay text where text is expected, and where they are only part of a text", () =>
    Effect.gen(function* () {
      const digits = "checks:\n  a: { type: tcp, host: '${HOST}', port: 1 }\n"
      yield* load({ HOST: "12345" }, digits)
      const part = yield* issuesOf({ PORT: "1" }, tcp('port: "${PORT}2"'))
      assert.deepStrictEqual(part[0]?.path, ["checks", "gateway", "port"])
      const literal = yield* issuesOf({}, tcp('port: "12"'))
      assert.strictEqual(literal[0]?.found, '"12"')
      const word = yield* issuesOf({ PORT: "many" }, tcp('port: "${PORT}"'))
      assert.strictEqual(word[0]?.found, '"many"')
    })
  )
})

describe("Configuration, everything that is wrong", () => {
  it.effect("is told of the section on backups too, beside that of the checks", () =>
    Effect.gen(function* () {
      const file =
        "backup: { keep: 0, level: '${NOWHERE}' }\nchecks: { a: { type: disk, path: 5 } }\n"
      assert.sameMembers(yield* pathsOf(database, file), [
        "backup.keep",
        "backup.level",
        "checks.a.path"
      ])
    })
  )

  it.effect("is a file that names no check, where no variable names a service either", () =>
    Effect.gen(function* () {
      for (const text of ["", "name: Bot", "checks: {}", "backup: { keep: 7 }"]) {
        const [issue, ...others] = yield* issuesOf({ TELEGRAM_API_URL: "http://127.0.0.1:1" }, text)
        assert.deepStrictEqual(issue?.path, ["checks"], text)
        assert.include(issue?.expected, "DATABASE_URL")
        assert.isEmpty(others)
        assert.deepStrictEqual(shown(yield* load(database, text)), ["database"])
      }
      // What else is wrong may be the reason that there is none.
      assert.deepStrictEqual(yield* pathsOf({}, "chekcs: {}"), ["chekcs"])
    })
  )

  it.effect("is told at once: variables, sections, entries, fields, policy", () =>
    Effect.gen(function* () {
      const paths = yield* pathsOf(
        { DATABASE_URL: "nope://x", REDIS_URL: "redis://r", REDIS_URL_FILE: "/r" },
        [
          "nam: Bot",
          "heartbeat: { timeout: 10 }",
          "checks:",
          "  a: { type: tcp, host: h, port: 99999, prot: 1 }",
          "  b: { type: nope }",
          "  c: { host: h }",
          "  d: { type: tcp, host: '${MISSING}', port: 1, timeout: soon, failureThreshold: 0 }",
          "plugins: ['']"
        ].join("\n")
      )
      assert.sameMembers(paths, [
        "REDIS_URL",
        "checks.d.host",
        "nam",
        "heartbeat.timeout",
        "checks.a.port",
        "checks.a.prot",
        "checks.b.type",
        "checks.c",
        "checks.d.timeout",
        "checks.d.failureThreshold",
        "plugins.0",
        "DATABASE_URL"
      ])
    })
  )

  it.effect("names the variable where the value came from one, and the path in the file else", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* pathsOf({ DATABASE_URL: "mysql://u:canary@h/d" }), [
        "DATABASE_URL"
      ])
      const file = "checks:\n  database: { type: database, url: '${DATABASE_URL}' }\n"
      const issues = yield* issuesOf({ DATABASE_URL: "mysql://u:canary-pw@h/d" }, file)
      assert.deepStrictEqual(issues[0]?.path, ["checks", "database", "url"])
      assert.notInclude(JSON.stringify(issues), "canary")
    })
  )

  it.effect("is a link that is no http or https URL, or holds a password, which is not shown", () =>
    Effect.gen(function* () {
      const issues = yield* issuesOf(
        {},
        [
          tcp('port: 1, link: "ftp://h/", label: "", unknown: 1'),
          '  other: { type: nosuch, runbook: "  " }',
          '  web: { type: http, url: "http://h/", link: "https://anna:s3cr3t-canary@h/" }'
        ].join("\n")
      )
      assert.deepStrictEqual(issues.map(({ path }) => path.join(".")).sort(), [
        "checks.gateway.label",
        "checks.gateway.link",
        "checks.gateway.unknown",
        "checks.other.runbook",
        "checks.other.type",
        "checks.web.link"
      ])
      const link = issues.find(({ path }) => path.join(".") === "checks.gateway.link")
      assert.match(link?.expected ?? "", /^an http or https URL/)
      assert.notInclude(JSON.stringify(issues), "s3cr3t-canary")
    })
  )

  it.effect("lists the types for a type that there is not, and the keys for a key", () =>
    Effect.gen(function* () {
      const [type] = yield* issuesOf({}, "checks:\n  a: { type: mysql }\n")
      assert.match(type?.expected ?? "", /^one of telegram, dmarket, .*tcp/)
      assert.strictEqual(type?.found, '"mysql"')
      const [key] = yield* issuesOf({}, tcp("port: 1, prot: 2"))
      // The keys of the plugin and those of every check.
      assert.match(key?.expected ?? "", /^no such key \(known: .*port, .*type, .*timeout, /)
      const [nested] = yield* issuesOf({}, tcp("port: 1, retry: { times: 1, bas: 1 second }"))
      assert.deepStrictEqual(nested?.path, ["checks", "gateway", "retry", "bas"])
    })
  )

  it.effect("says of a text that it has a line break, secret or not, and prints none", () =>
    Effect.gen(function* () {
      const variables = { TELEGRAM_BOT_TOKEN: "123456789:canary\n" }
      const text = 'checks:\n  a: { type: tcp, host: h, port: "x\\ny" }\n  b: { type: "m\\nn" }\n'
      const issues = yield* issuesOf(variables, text)
      assert.deepStrictEqual(
        issues.map(({ found }) => found),
        [
          "a string with a line break (not shown, it may be secret)",
          "a string with a line break",
          "a string with a line break"
        ]
      )
    })
  )

  it.effect("is a URL of another kind, of which only the kind is shown", () =>
    Effect.gen(function* () {
      const web = (url: string) => `checks:\n  web: { type: http, url: "${url}" }\n`
      const [kind] = yield* issuesOf({}, web("ftp://canary:canary@h"))
      assert.strictEqual(
        kind?.found,
        "a string that starts with ftp:// (the rest is not shown, it may be secret)"
      )
      const [other] = yield* issuesOf({}, web("http://canary h"))
      assert.strictEqual(other?.found, "another string (not shown, it may be secret)")
      // What looks like a URL where a secret is expected may be the secret.
      const [token] = yield* issuesOf({ TELEGRAM_BOT_TOKEN: "canary://x" })
      assert.strictEqual(token?.found, "another string (not shown, it may be secret)")
    })
  )

  it.effect("is a file that is no mapping", () =>
    Effect.gen(function* () {
      for (const text of ["- a\n- b\n", "just text", "42"]) {
        const [issue] = yield* issuesOf({}, text)
        assert.deepStrictEqual(issue?.path, [])
        assert.strictEqual(issue?.expected, "a mapping", text)
      }
    })
  )

  it.effect("shows no secret of another field that repeats it", () =>
    Effect.gen(function* () {
      const issues = yield* issuesOf(
        { TELEGRAM_BOT_TOKEN: "123456:canary-token\n", REDIS_URL: "redis://:canary-password@h" },
        `name: "x"\n${tcp('port: "canary-password", send: "123456:canary-token"')}`
      )
      const text = JSON.stringify(issues)
      assert.notInclude(text, "canary")
      assert.include(text, "TELEGRAM_BOT_TOKEN")
    })
  )
})
