/** What a probe tells a tracer holds no secrets. */
import { assert, it } from "@effect/vitest"
import { Cause, type Context, Effect, Exit, Layer, Option, Redacted, Schema, Tracer } from "effect"
import { inspect } from "node:util"
import * as Check from "../../src/Check/Check.js"
import * as ConfigField from "../../src/Plugin/ConfigField.js"
import * as Outcome from "../../src/Check/Outcome.js"
import { program, runCheck } from "./scripted.js"

const token = "c4nary-t0ken-98765"

class Failed extends Schema.TaggedError<Failed>("test/Failed")("Failed", {
  reason: Schema.Literal("Failed"),
  url: Schema.String
}) {
  override get message(): string {
    return `no answer from ${this.url}`
  }
}

/** As tracers make them: a class, by which the tracer knows its own spans again. */
class RecordedSpan implements Tracer.Span {
  readonly _tag = "Span"
  readonly traceId = "trace"
  readonly sampled = true
  readonly attributes = new Map<string, unknown>()
  status: Tracer.SpanStatus

  constructor(
    private readonly told: Array<ReadonlyArray<unknown>>,
    readonly name: string,
    readonly parent: Option.Option<Tracer.AnySpan>,
    readonly context: Context.Context<never>,
    readonly links: ReadonlyArray<Tracer.SpanLink>,
    readonly startTime: bigint,
    readonly kind: Tracer.SpanKind
  ) {
    this.status = { _tag: "Started", startTime }
  }

  get spanId(): string {
    return `span of ${this.name}`
  }

  attribute(key: string, value: unknown): void {
    this.told.push(["attribute", key, value])
  }

  event(name: string, _: bigint, attributes?: Record<string, unknown>): void {
    this.told.push(["event", name, attributes])
  }

  addLinks(links: ReadonlyArray<Tracer.SpanLink>): void {
    this.told.push(["links", links.map(({ attributes }) => attributes)])
  }

  end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    this.status = { _tag: "Ended", startTime: this.startTime, endTime, exit }
    this.told.push(["end", Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "well"])
  }
}

/** What a tracer was told, in the order of telling. */
const recording = () => {
  const told: Array<ReadonlyArray<unknown>> = []
  const parents: Array<Tracer.AnySpan> = []
  const tracer = Tracer.make({
    context: (f) => f(),
    span: (name, parent, context, links, startTime, kind, options) => {
      told.push(["span", name, links.map(({ attributes }) => attributes), options?.attributes])
      if (Option.isSome(parent)) parents.push(parent.value)
      return new RecordedSpan(told, name, parent, context, links, startTime, kind)
    }
  })
  return { told, parents, tracer }
}

const Traced = Check.make("traced", {
  description: "Tells its tracer what it should not",
  config: { token: ConfigField.secret },
  error: Failed,
  probe: (config) =>
    Effect.gen(function* () {
      const secret = Redacted.value(config.token)
      yield* Effect.annotateCurrentSpan("of the layer", secret)
      const span = yield* Effect.orDie(Effect.currentSpan)
      const link: Tracer.SpanLink = { _tag: "SpanLink", span, attributes: { [secret]: secret } }
      return yield* Effect.gen(function* () {
        yield* Effect.annotateCurrentSpan({ [secret]: 1, url: `http://x/?t=${secret}`, plain: "x" })
        yield* Effect.annotateCurrentSpan("deep", { list: [{ secret }] })
        yield* Effect.linkSpanCurrent(span, { secret })
        yield* Effect.log(`asking with ${secret}`)
        yield* Effect.ignore(
          Effect.withSpan(new Failed({ reason: "Failed", url: secret }), `GET /${secret}`)
        )
        return Outcome.healthy("fine")
      }).pipe(Effect.withSpan("ask", { attributes: { secret, size: 3 }, links: [link] }))
    }),
  services: () => Layer.empty
})

it.effect("names, attributes, events, links and failures of spans", () => {
  const { parents, told, tracer } = recording()
  return Effect.gen(function* () {
    const result = yield* runCheck("traced").pipe(
      Effect.provide(
        program(
          Traced.layer({ token: Redacted.make(token) }).pipe(Layer.provide(Layer.span("building")))
        )
      )
    )
    assert.strictEqual(result.status, "healthy", result.message)
    assert.notInclude(inspect(told, { depth: 9 }), token)
    const kinds = new Set(told.map(([kind]) => kind))
    assert.sameMembers([...kinds], ["span", "attribute", "event", "links", "end"])
    assert.deepInclude(told, ["attribute", "of the layer", "<redacted>"])
    assert.deepInclude(told, ["attribute", "<redacted>", 1])
    assert.deepInclude(told, ["attribute", "plain", "x"])
    assert.deepInclude(told, ["attribute", "deep", { list: [{ secret: "<redacted>" }] }])
    assert.deepInclude(told, ["links", [{ secret: "<redacted>" }]])
    assert.isNotEmpty(parents)
    for (const parent of parents) {
      assert.instanceOf(parent, RecordedSpan)
      assert.strictEqual(parent.spanId, `span of ${parent.name}`)
    }
  }).pipe(Effect.withTracer(tracer))
})
