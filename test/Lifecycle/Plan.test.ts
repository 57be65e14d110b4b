import { assert, describe, it } from "@effect/vitest"
import { Duration, Either, FastCheck as fc } from "effect"
import * as Phase from "../../src/Lifecycle/Phase.js"
import * as Plan from "../../src/Lifecycle/Plan.js"
import type { PlanError } from "../../src/Lifecycle/PlanError.js"

const namesOf = (order: ReturnType<typeof Plan.order>) =>
  Either.getOrThrow(order).map(({ name }) => name)

const refusal = <A>(result: Either.Either<A, PlanError>): PlanError =>
  Either.getOrThrow(Either.flip(result))

/** Each goes beside a built-in phase or one that was inserted before it. */
const insertions = fc.array(fc.tuple(fc.nat(), fc.boolean()), { maxLength: 12 }).map((choices) =>
  choices.map(([choice, isBefore], index): Phase.Insertion => {
    const anchors = [...Phase.names, ...Array.from({ length: index }, (_, i) => `own${i}`)]
    const anchor = anchors[choice % anchors.length] ?? "intake"
    const name = `own${index}`
    return isBefore ? { name, before: anchor } : { name, after: anchor }
  })
)

const millis = fc.integer({ min: 0, max: 60_000 }).map(Duration.millis)

const plans = fc
  .tuple(millis, millis, fc.array(fc.array(millis, { maxLength: 5 }), { maxLength: 12 }))
  .map(
    ([grace, lameDuck, phases]): Plan.Plan => ({
      grace,
      lameDuck,
      phases: phases.map((limits, phase) => ({
        name: `phase${phase}`,
        title: `title ${phase}`,
        hooks: limits.map((limit, hook) => ({ name: `hook${phase}-${hook}`, limit }))
      }))
    })
  )

const sumOf = (plan: Plan.Plan): number =>
  Duration.toMillis(plan.lameDuck) +
  plan.phases
    .flatMap(({ hooks }) => hooks)
    .reduce((sum, { limit }) => sum + Duration.toMillis(limit), 0)

describe("the order of the phases", () => {
  it("is that of the contract", () => {
    assert.deepStrictEqual(namesOf(Plan.order([])), [
      "intake",
      "monitoring",
      "state",
      "drain",
      "cancel",
      "bot",
      "connections",
      "database",
      "close"
    ])
  })

  it("has every phase once, the built-in ones in their order", () => {
    fc.assert(
      fc.property(insertions, (own) => {
        const names = namesOf(Plan.order(own))
        assert.strictEqual(new Set(names).size, names.length)
        assert.sameMembers(names, [...Phase.names, ...own.map(({ name }) => name)])
        const builtIn: ReadonlyArray<string> = Phase.names
        assert.deepStrictEqual(
          names.filter((name) => builtIn.includes(name)),
          [...builtIn]
        )
      })
    )
  })

  it("puts a phase on the right side of its neighbour, and the last one next to it", () => {
    fc.assert(
      fc.property(insertions, (own) => {
        const names = namesOf(Plan.order(own))
        for (const { after, before, name } of own) {
          const at = names.indexOf(name)
          if (before !== undefined) assert.isBelow(at, names.indexOf(before))
          if (after !== undefined) assert.isAbove(at, names.indexOf(after))
        }
        const last = own.at(-1)
        if (last === undefined) return
        const distance = last.before === undefined ? -1 : 1
        const neighbour = names[names.indexOf(last.name) + distance]
        assert.strictEqual(neighbour, last.before ?? last.after)
      })
    )
  })

  it("refuses a neighbour that is not there, and lists those that are", () => {
    const error = refusal(Plan.order([{ name: "queue", after: "dran" }]))
    assert.strictEqual(error.reason, "UnknownPhase")
    assert.include(error.message, 'no shutdown phase "dran"')
    assert.include(error.message, "intake, monitoring, state, drain")
  })

  it("refuses a name that is taken", () => {
    const error = refusal(Plan.order([{ name: "drain", after: "intake" }]))
    assert.strictEqual(error.reason, "DuplicatePhase")
  })
})

describe("the sum of a plan", () => {
  it("is the lame-duck time and every limit", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        assert.strictEqual(Duration.toMillis(Plan.total(plan)), sumOf(plan))
      })
    )
  })

  it("decides: a plan within the grace passes, any other is refused with the sum", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const result = Plan.check(plan)
        assert.strictEqual(Either.isRight(result), sumOf(plan) <= Duration.toMillis(plan.grace))
        if (Either.isRight(result)) return
        assert.strictEqual(result.left.reason, "OverGrace")
        const sum = sumOf(plan)
        const expected = sum < 1000 ? `${sum} ms` : `${Number((sum / 1000).toFixed(2))} s`
        assert.include(result.left.message, `up to ${expected}`)
      })
    )
  })

  it("fits when nobody asked for too much, however many hooks there are", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.nat(20_000), (hooks, taken) => {
        const grace = Duration.seconds(30)
        const lameDuck = Duration.millis(taken)
        const limit = Plan.defaultLimit(grace, lameDuck, hooks)
        assert.isAtMost(Duration.toMillis(limit), 2000)
        const phase = {
          name: "intake",
          title: "",
          hooks: Array.from({ length: hooks }, () => ({ name: "", limit }))
        }
        assert.isTrue(Either.isRight(Plan.check({ grace, lameDuck, phases: [phase] })))
      })
    )
  })

  it("leaves a hook time to do nothing where others have taken all", () => {
    const limit = Plan.defaultLimit(Duration.seconds(10), Duration.seconds(12), 3)
    assert.strictEqual(Duration.toMillis(limit), 100)
  })
})

describe("the plan as text", () => {
  it("has every phase, hook and limit, and the sum", () => {
    fc.assert(
      fc.property(plans, (plan) => {
        const text = Plan.text(plan)
        for (const { hooks, name } of plan.phases) {
          assert.match(text, new RegExp(`^${name} `, "m"))
          for (const hook of hooks) assert.include(text, hook.name)
        }
        assert.match(text, /at most [\d.]+ m?s of [\d.]+ m?s$/)
      })
    )
  })

  it("is a table", () => {
    const plan: Plan.Plan = {
      grace: Duration.seconds(30),
      lameDuck: Duration.seconds(5),
      phases: [
        {
          name: "intake",
          title: "stop accepting requests",
          hooks: [
            { name: "api", limit: Duration.seconds(2) },
            { name: "queue", limit: Duration.millis(250) }
          ]
        },
        { name: "drain", title: "wait for pending tasks", hooks: [] }
      ]
    }
    assert.deepStrictEqual(Plan.text(plan).split("\n"), [
      "lame duck  still serving, readiness 503           5 s",
      "intake     stop accepting requests: api           2 s",
      "           queue                                  250 ms",
      "drain      wait for pending tasks: nothing to do  -",
      "at most 7.25 s of 30 s"
    ])
  })
})
