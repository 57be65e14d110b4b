/** What is news and what is not. */
import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc, Option } from "effect"
import type { Status } from "../../src/Check/CheckResult.js"
import * as Verdict from "../../src/Cli/Verdict.js"

const status = fc.constantFrom<Status>("healthy", "degraded", "unhealthy", "unknown")
// Few names, so that two verdicts often share some; one that every object has.
const name = fc.constantFrom("a", "b", "c", "toString")
const services = fc.dictionary(name, status)
const verdict: fc.Arbitrary<Verdict.Verdict> = fc.record({ overall_status: status, services })

const isNews = (before: Verdict.Verdict, now: Verdict.Verdict) =>
  Verdict.isNews(Option.some(before), now)

const property = <A extends [unknown, ...Array<unknown>]>(
  text: string,
  arbitraries: { [K in keyof A]: fc.Arbitrary<A[K]> },
  holds: (...values: A) => void
) => {
  it(text, () => {
    fc.assert(
      fc.property(...arbitraries, (...values) => {
        holds(...values)
      })
    )
  })
}

describe("Verdict", () => {
  property("is no news beside itself, in any order", [verdict], (one) => {
    const reversed = Object.fromEntries(Object.entries(one.services).reverse())
    assert.isFalse(isNews(one, { ...one, services: reversed }))
    assert.isTrue(Verdict.same(one, { ...one, services: reversed }))
    assert.deepStrictEqual(Verdict.lost(Option.some(one), one), [])
  })

  property("has recovered what was not healthy and is now", [verdict, verdict], (last, now) => {
    const back = Verdict.recovered(Option.some(last), now)
    for (const [name, is] of Object.entries(now.services)) {
      const was = Object.hasOwn(last.services, name) ? last.services[name] : "unknown"
      const isBack = (was === "unhealthy" || was === "degraded") && is === "healthy"
      assert.strictEqual(back.includes(name), isBack, `${name}: ${was}, ${is}`)
    }
    assert.isEmpty(Verdict.recovered(Option.none(), now))
  })

  property("is no news for a service that joins and is healthy or unknown", [verdict], (one) => {
    const { b: _, ...rest } = one.services
    const before = { ...one, services: rest }
    for (const b of ["healthy", "unknown"] as const) {
      assert.isFalse(isNews(before, { ...one, services: { ...rest, b } }))
      assert.isFalse(
        isNews(
          { ...one, services: { ...rest, b: "unknown" } },
          { ...one, services: { ...rest, b } }
        )
      )
    }
  })

  property("is news for a service that joins with a problem", [verdict], (one) => {
    const { b: _, ...rest } = one.services
    for (const b of ["degraded", "unhealthy"] as const) {
      assert.isTrue(isNews({ ...one, services: rest }, { ...one, services: { ...rest, b } }))
    }
  })

  property("is news when a service has another status", [verdict, status, status], (one, a, b) => {
    fc.pre(a !== b && a !== "unknown")
    const before = { ...one, services: { ...one.services, a } }
    assert.isTrue(isNews(before, { ...one, services: { ...one.services, a: b } }))
  })

  property("is news when the whole is another", [verdict, status], (one, overall_status) => {
    fc.pre(overall_status !== one.overall_status)
    assert.isTrue(isNews(one, { ...one, overall_status }))
  })

  property("is news and names whatever is lost", [verdict, verdict], (before, now) => {
    const lost = Verdict.lost(Option.some(before), now)
    for (const service of lost) {
      assert.notStrictEqual(before.services[service], "unknown")
      assert.include(
        [undefined, "unknown"],
        Object.entries(now.services).find(([key]) => key === service)?.[1]
      )
    }
    if (lost.length > 0) assert.isTrue(isNews(before, now))
  })

  property("is news the first time unless all is well", [verdict], (one) => {
    assert.strictEqual(Verdict.isNews(Option.none(), one), one.overall_status !== "healthy")
    assert.deepStrictEqual(Verdict.lost(Option.none(), one), [])
  })
})
