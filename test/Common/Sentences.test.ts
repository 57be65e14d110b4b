import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { clause, joined, sentence } from "../../src/Common/Sentences.js"

describe("Sentences", () => {
  it("put one mark between a text and what follows", () => {
    const cases = [
      ["connection refused", "connection refused: 3 failures"],
      ["Look at the firewall.", "Look at the firewall: 3 failures"],
      ["It says: ", "It says: 3 failures"],
      ["Does another service listen there?", "Does another service listen there? 3 failures"],
      ['It said "why?"', 'It said "why?" 3 failures'],
      ["a very long te…", "a very long te…: 3 failures"],
      ["...", "...: 3 failures"]
    ] as const
    for (const [text, whole] of cases) assert.strictEqual(joined(text, ":", "3 failures"), whole)
    assert.strictEqual(joined("is it right?", ";", "hook is told"), "is it right? Hook is told")
  })

  it("end a sentence once", () => {
    assert.strictEqual(sentence("refused"), "refused.")
    assert.strictEqual(sentence("refused.;"), "refused.")
    assert.strictEqual(sentence("is it right?"), "is it right?")
    assert.strictEqual(sentence("a very long te…"), "a very long te…")
  })

  it("leave no two marks behind each other, whatever the text ends with", () => {
    const ends = fc.array(fc.constantFrom(".", ";", ":", ",", " ", "\n"), { maxLength: 5 })
    fc.assert(
      fc.property(fc.constantFrom("a", "it.", "why?"), ends, (start, end) => {
        const text = `${start}${end.join("")}`
        for (const whole of [joined(text, ";", "b"), `${sentence(text)} b`, `${clause(text)}; b`]) {
          if (start !== "why?") assert.notMatch(whole, /[.;:,]\s*[.;:,]/)
        }
        assert.notMatch(joined(text, ";", "b"), /[.;:,?]\s*[.;:,?]/)
      })
    )
  })
})
