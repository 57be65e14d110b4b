import { assert, describe, it } from "@effect/vitest"
import {
  Config,
  ConfigProvider,
  Context,
  Deferred,
  Duration,
  Effect,
  Either,
  Exit,
  Layer,
  Redacted,
  Schema,
  Scope
} from "effect"
import { inspect } from "node:util"
import * as Check from "../../src/Check/Check.js"
import type { CheckConfigError } from "../../src/Check/CheckError.js"
import * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as ConfigField from "../../src/Plugin/ConfigField.js"
import * as Outcome from "../../src/Check/Outcome.js"
import { HealthMonitor } from "../../src/Monitor/HealthMonitor.js"
import * as scripted from "./scripted.js"

const { check, ok, program, runCheck, ScriptedError } = scripted

class Server extends Context.Tag("test/Server")<
  Server,
  { readonly ask: (url: string) => Effect.Effect<string> }
>() {}

const canary = "c4nary/p@ss w%rd"

const Asking = Check.make("asking", {
  description: "Asks a server",
  label: "asking server",
  config: {
    url: ConfigField.secret,
    port: ConfigField.withDefault(ConfigField.port, 80),
    mode: ConfigField.withDefault(Schema.Literal("fast", "slow"), "fast"),
    slow: ConfigField.withDefault(ConfigField.duration, "800 millis"),
    tags: Schema.optional(Schema.Array(Schema.String)),
    limits: Schema.optional(Schema.Struct({ percent: ConfigField.percent }))
  },
  error: ScriptedError,
  timeout: "5 seconds",
  critical: false,
  probe: (config) =>
    Effect.gen(function* () {
      const server = yield* Server
      yield* Effect.addFinalizer(() => Effect.void)
      const answer = yield* server.ask(Redacted.value(config.url))
      return Outcome.healthy(answer, {
        details: { port: config.port, slow_ms: Duration.toMillis(config.slow) }
      })
    }),
  services: (config) =>
    Layer.succeed(Server, { ask: () => Effect.succeed(`standalone on ${config.port}`) })
})

const echo = Layer.succeed(Server, { ask: (url) => Effect.succeed(`asked ${url}`) })
const url = Redacted.make("secret-url")

const issuesOf = <A>(exit: Either.Either<A, { readonly _tag: string }>) => {
  if (Either.isRight(exit) || exit.left._tag !== "CheckConfigError") {
    return assert.fail("expected a CheckConfigError")
  }
  return exit.left as unknown as CheckConfigError
}

const build = <A, E>(layer: Layer.Layer<A, E, CheckRegistry.CheckRegistry | Server>) =>
  Effect.either(Effect.scoped(Layer.build(Layer.provide(layer, [CheckRegistry.layer, echo]))))

describe("Check.make", () => {
  it("is data", () => {
    assert.include(Asking, { type: "asking", name: "asking", label: "asking server" })
    assert.deepStrictEqual(Duration.toMillis(Asking.policy.timeout), 5000)
    assert.strictEqual(Asking.policy.critical, false)
    assert.strictEqual(Asking.policy.group, "readiness")
    assert.deepStrictEqual(Object.keys(Asking.config.fields), [
      "url",
      "port",
      "mode",
      "slow",
      "tags",
      "limits"
    ])
  })

  it.effect("a layer uses the program's own services and the configuration's defaults", () =>
    Effect.gen(function* () {
      const result = yield* runCheck("asking")
      assert.strictEqual(result.message, "asked <redacted>")
      assert.deepStrictEqual(result.details, { port: 80, slow_ms: 800 })
    }).pipe(Effect.provide(program(Layer.provide(Asking.layer({ url }), echo))))
  )

  it.effect("layerStandalone builds its own services from the configuration", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* runCheck("asking")).message, "standalone on 81")
    }).pipe(Effect.provide(program(Asking.layerStandalone({ url, port: 81 }))))
  )

  it.effect("layerConfig takes it from the ConfigProvider", () =>
    Effect.gen(function* () {
      const result = yield* runCheck("asking")
      assert.strictEqual(result.message, "asked <redacted>")
      assert.strictEqual(result.details["port"], 8080)
    }).pipe(
      Effect.provide(
        program(
          Asking.layerConfig({ url: Config.redacted("URL"), port: Config.integer("PORT") }).pipe(
            Layer.provide(echo),
            Layer.provide(
              Layer.setConfigProvider(
                ConfigProvider.fromMap(
                  new Map([
                    ["URL", canary],
                    ["PORT", "8080"]
                  ])
                )
              )
            )
          )
        )
      )
    )
  )

  it.effect(
    "layerConfig: a missing variable and a wrong value fail typed, without the secret",
    () =>
      Effect.gen(function* () {
        const config = { url: Config.redacted("URL"), port: Config.integer("PORT") }
        const from = (entries: ReadonlyArray<readonly [string, string]>) =>
          Effect.map(
            Effect.withConfigProvider(
              build(Asking.layerConfig(config)),
              ConfigProvider.fromMap(new Map(entries))
            ),
            Either.flip
          )
        const missing = yield* Effect.flatten(from([["PORT", "1"]]))
        assert.strictEqual(missing._tag, "ConfigError")
        assert.include(inspect(missing), "URL")
        const wrong = yield* Effect.flatten(
          from([
            ["URL", canary],
            ["PORT", "70000"]
          ])
        )
        assert.strictEqual(wrong._tag, "CheckConfigError")
        assert.notInclude(inspect(wrong), canary)
      })
  )

  it.effect("layerNotConfigured: unknown, under the check's name", () =>
    Effect.gen(function* () {
      const result = yield* runCheck("asking")
      assert.strictEqual(result.status, "unknown")
      assert.strictEqual(result.reason, "NotConfigured")
      assert.strictEqual(result.message, "Asking server not configured")
    }).pipe(Effect.provide(program(Asking.layerNotConfigured())))
  )

  it.effect("a name of one's own, and a policy that differs", () =>
    Effect.gen(function* () {
      const registry = yield* CheckRegistry.CheckRegistry
      const [first, second] = yield* registry.all
      assert.include(first, { name: "asking", type: "asking", label: "asking server" })
      assert.include(second, { name: "other", type: "asking", label: "other" })
      assert.strictEqual(Duration.toMillis(second?.policy.timeout ?? 0), 1000)
      assert.strictEqual(Duration.toMillis(first?.policy.timeout ?? 0), 5000)
      assert.strictEqual(second?.policy.critical, true)
      assert.deepStrictEqual(second?.policy.dependsOn, ["asking"])
    }).pipe(
      Effect.provide(
        program(
          Layer.provide(
            Layer.provideMerge(
              Asking.layer(
                { url },
                { name: "other", timeout: "1 second", critical: true, dependsOn: ["asking"] }
              ),
              Asking.layer({ url })
            ),
            echo
          )
        )
      )
    )
  )
})

describe("defaults of a policy", () => {
  it.effect("are those of the design", () =>
    Effect.gen(function* () {
      const registry = yield* CheckRegistry.CheckRegistry
      const [registered] = yield* registry.all
      const policy = registered?.policy ?? assert.fail("nothing registered")
      assert.strictEqual(Duration.toMillis(policy.interval), 30_000)
      assert.strictEqual(Duration.toMillis(policy.timeout), 10_000)
      assert.include(policy, {
        failureThreshold: 3,
        recoveryThreshold: 2,
        critical: true,
        group: "readiness",
        retry: undefined,
        attemptTimeout: undefined
      })
      assert.deepStrictEqual(policy.dependsOn, [])
    }).pipe(Effect.provide(program(check("it", Effect.succeed(ok)))))
  )
})

describe("names", () => {
  it.effect("two checks of one name are an error that says which", () =>
    Effect.gen(function* () {
      const built = yield* build(
        Layer.merge(check("same", Effect.succeed(ok)), Asking.layer({ url }, { name: "same" }))
      )
      const error = yield* Effect.flip(built)
      assert.strictEqual(error._tag, "DuplicateCheckError")
      assert.include(error.message, `Two checks are named "same"`)
      assert.include(error.message, "asking")
      assert.include(error.message, "scripted")
    })
  )

  it.effect("a name that a not configured check has is taken too", () =>
    Effect.gen(function* () {
      const built = yield* build(Layer.merge(Asking.layerNotConfigured(), Asking.layer({ url })))
      assert.strictEqual((yield* Effect.flip(built))._tag, "DuplicateCheckError")
    })
  )

  it.effect(
    "a name is free again when the check's scope closes; the refused one takes nothing out",
    () =>
      Effect.gen(function* () {
        const registry = yield* CheckRegistry.CheckRegistry
        const names = Effect.map(registry.all, (all) => all.map(({ name }) => name))
        const scope = yield* Scope.make()
        yield* Layer.buildWithScope(check("it", Effect.succeed(ok)), scope)
        const second = yield* Effect.exit(
          Effect.scoped(Layer.build(check("it", Effect.succeed(ok))))
        )
        assert.isTrue(Exit.isFailure(second))
        assert.deepStrictEqual(yield* names, ["it"])
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* names, [])
        yield* Effect.scoped(Layer.build(check("it", Effect.succeed(ok))))
      }).pipe(Effect.provide(CheckRegistry.layer))
  )

  it.effect("an unknown name is an error that lists the known ones", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(runCheck("b"))
      assert.strictEqual(error._tag, "UnknownCheckError")
      assert.strictEqual(error.message, `There is no check named "b". Known: a.`)
    }).pipe(Effect.provide(program(check("a", Effect.succeed(ok)))))
  )
})

describe("a configuration that is wrong", () => {
  it.effect("lists every issue at once: where, what was expected, what was found", () =>
    Effect.gen(function* () {
      const wrong = {
        url,
        port: 70000,
        mode: "medium",
        slow: "soon",
        tags: ["fine", 5],
        limits: { percent: 120 },
        prot: 1
      } as unknown as Parameters<typeof Asking.layer>[0]
      const error = issuesOf(yield* build(Asking.layer(wrong)))
      const byPath = new Map(error.issues.map((issue) => [issue.path.join("."), issue]))
      assert.sameMembers(
        [...byPath.keys()],
        ["port", "mode", "slow", "tags.1", "limits.percent", "prot"]
      )
      assert.deepStrictEqual(byPath.get("port"), {
        path: ["port"],
        expected: "a port number from 1 to 65535",
        found: "70000"
      })
      assert.include(byPath.get("mode"), { expected: `"fast" or "slow"`, found: `"medium"` })
      assert.include(byPath.get("slow"), {
        expected: `a duration such as "10 seconds"`,
        found: `"soon"`
      })
      assert.include(byPath.get("tags.1"), { found: "5" })
      assert.include(byPath.get("limits.percent"), {
        expected: "a percentage from 0 to 100",
        found: "120"
      })
      assert.include(byPath.get("prot"), { found: "1" })
      assert.include(byPath.get("prot")?.expected, "url, port, mode")
      assert.include(error.message, `The configuration of check "asking" is wrong:\n`)
      assert.strictEqual(error.message.split("\n").length, 7)
    })
  )

  it.effect("names the check as it is called there", () =>
    Effect.gen(function* () {
      const error = issuesOf(yield* build(Asking.layer({ url, port: 0 }, { name: "mine" })))
      assert.strictEqual(error.check, "mine")
    })
  )

  it.effect("never shows a secret, in whatever place it is wrong", () =>
    Effect.gen(function* () {
      const wrongs: ReadonlyArray<unknown> = [
        { url: canary },
        { url: Redacted.make(`${canary}\n`) },
        { url: Redacted.make(""), mode: canary },
        { url: Redacted.make(canary), mode: `x${canary}` },
        { url: Redacted.make(canary), tags: [canary, 5], limits: { percent: canary } },
        { url: Redacted.make(canary), mode: encodeURIComponent(canary) },
        { url: Redacted.make(5) }
      ]
      for (const [index, wrong] of wrongs.entries()) {
        const error = issuesOf(
          yield* build(Asking.layer(wrong as Parameters<typeof Asking.layer>[0]))
        )
        // A field that is no secret shows what it holds, unless a secret is known to be that.
        if (index !== 2) {
          assert.notInclude(error.message, canary)
          assert.notInclude(JSON.stringify(error), canary)
          assert.notInclude(error.message, encodeURIComponent(canary))
        }
        assert.isNotEmpty(error.issues)
      }
    })
  )

  it.effect("a missing field", () =>
    Effect.gen(function* () {
      const error = issuesOf(yield* build(Asking.layer({} as Parameters<typeof Asking.layer>[0])))
      assert.deepInclude(error.issues[0], { path: ["url"], found: "nothing" })
    })
  )
})

describe("a policy that is wrong", () => {
  const wrong: ReadonlyArray<readonly [Check.Options, string]> = [
    [{ failureThreshold: 0 }, "failureThreshold: expected a whole number of at least 1, found 0"],
    [
      { recoveryThreshold: 1.5 },
      "recoveryThreshold: expected a whole number of at least 1, found 1.5"
    ],
    [
      { timeout: Duration.seconds(-1) },
      'timeout: expected a duration such as "10 seconds", found 0'
    ],
    [
      { interval: "0 seconds" },
      'interval: expected a duration such as "10 seconds", found "0 seconds"'
    ],
    [
      { timeout: Duration.infinity },
      'timeout: expected a duration such as "10 seconds", found Infinity'
    ],
    [{ timeout: 5000 }, 'timeout: expected a duration such as "10 seconds", found 5000'],
    [
      { retry: { times: -1, base: "1 second" } },
      "retry.times: expected a whole number from 0 to 100, found -1"
    ],
    [
      { attemptTimeout: "6 seconds" },
      "attemptTimeout: expected at most the timeout of the run (5s), found 6s"
    ],
    [
      { attemptTimeout: "3 seconds", timeout: "2 seconds" },
      "attemptTimeout: expected at most the timeout of the run (2s), found 3s"
    ],
    [{ group: "life" as "liveness" }, 'group: expected "readiness" or "liveness", found "life"'],
    [
      { failureTreshold: 2 } as Check.Options,
      "failureTreshold: expected no such key (known: interval, jitter,"
    ],
    [{ interval: "4 seconds" }, "interval: expected at least the timeout of a run (5s), found 4s"],
    [{ timeout: "31 seconds" }, "timeout: expected at most the interval (30s), found 31s"],
    [
      { interval: "6 seconds", timeout: "7 seconds" },
      "interval: expected at least the timeout of a run (7s), found 6s"
    ],
    [
      { jitter: "26 seconds" },
      "jitter: expected at most the interval less the timeout (25s), found 26s"
    ],
    [
      { confirm: "26 seconds" },
      "confirm: expected at most the interval less the timeout (25s), found 26s"
    ],
    [
      { confirm: "0 seconds" },
      'confirm: expected a duration such as "10 seconds", found "0 seconds"'
    ]
  ]
  for (const [options, line] of wrong) {
    it.effect(line, () =>
      Effect.gen(function* () {
        for (const layer of [Asking.layer, Asking.layerStandalone]) {
          const error = issuesOf(yield* build(layer({ url }, { name: "mine", ...options })))
          assert.strictEqual(error.check, "mine")
          assert.include(error.message, line)
          assert.lengthOf(error.issues, 1)
        }
        assert.isTrue(Either.isLeft(Asking.decode({ url: "u" }, options)))
      })
    )
  }

  it.effect("is told together with what is wrong in the configuration", () =>
    Effect.gen(function* () {
      const error = issuesOf(yield* build(Asking.layer({ url, port: 0 }, { failureThreshold: 0 })))
      assert.deepStrictEqual(
        error.issues.map(({ path }) => path),
        [["port"], ["failureThreshold"]]
      )
    })
  )

  it.effect("may be the one that a plugin was written with", () =>
    Effect.gen(function* () {
      const error = issuesOf(
        yield* build(check("it", Effect.succeed(ok), { timeout: Duration.zero }))
      )
      assert.deepStrictEqual(
        error.issues.map(({ path }) => path),
        [["timeout"]]
      )
    })
  )

  it.effect("a timeout below that of the check's own attempts is none", () =>
    Effect.gen(function* () {
      const built = yield* build(
        check("it", Effect.succeed(ok), {
          attemptTimeout: "3 seconds",
          set: { timeout: "1 second" }
        })
      )
      assert.isTrue(Either.isRight(built))
    })
  )
})

describe("a server that is down at start and comes up later", () => {
  it.effect("makes the check unhealthy, then healthy; the program starts all the same", () =>
    Effect.gen(function* () {
      const up = yield* Deferred.make<void>()
      const probe = Effect.flatMap(Deferred.isDone(up), (isUp) =>
        isUp ? Effect.succeed(ok) : Effect.fail(new ScriptedError({ reason: "Down" }))
      )
      yield* Effect.gen(function* () {
        const monitor = yield* HealthMonitor
        assert.strictEqual((yield* monitor.runCheck("it")).status, "unhealthy")
        assert.strictEqual(yield* monitor.overallStatus, "unhealthy")
        yield* Deferred.succeed(up, undefined)
        assert.strictEqual((yield* monitor.runCheck("it")).status, "healthy")
        assert.strictEqual(yield* monitor.overallStatus, "healthy")
      }).pipe(Effect.provide(program(check("it", probe))))
    })
  )
})
