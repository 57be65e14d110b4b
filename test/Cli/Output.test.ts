import { assert, describe, it } from "@effect/vitest"
import { documentOf, lineOf, lookOf } from "../../src/Cli/Output.js"

const look = (isTerminal: boolean, variables: Record<string, string> = {}) =>
  lookOf({ isTerminal, variable: (name) => variables[name] })

describe("lookOf", () => {
  it("has emoji without a locale, with a UTF-8 one, and not with another", () => {
    assert.isTrue(look(false).emoji)
    assert.isTrue(look(false, { LANG: "" }).emoji)
    for (const locale of ["en_US.UTF-8", "de_DE.utf8", "C.UTF-8"]) {
      assert.isTrue(look(false, { LANG: locale }).emoji, locale)
    }
    for (const locale of ["C", "POSIX", "en_US.ISO-8859-1"]) {
      assert.isFalse(look(false, { LANG: locale }).emoji, locale)
    }
  })

  it("takes LC_ALL before LC_CTYPE before LANG, and an empty one for none", () => {
    assert.isFalse(look(false, { LC_ALL: "C", LC_CTYPE: "C.UTF-8", LANG: "C.UTF-8" }).emoji)
    assert.isTrue(look(false, { LC_CTYPE: "C.UTF-8", LANG: "C" }).emoji)
    assert.isTrue(look(false, { LC_ALL: "", LANG: "C.UTF-8" }).emoji)
  })

  it("has neither emoji nor colour on a terminal that shows none", () => {
    for (const term of ["dumb", "linux"]) {
      assert.deepStrictEqual(look(true, { TERM: term }), { emoji: false, color: false })
    }
    // A pipe shows nothing by itself: who reads it has a terminal of their own.
    assert.isTrue(look(false, { TERM: "dumb" }).emoji)
  })

  it("is coloured on a terminal only, and not with NO_COLOR", () => {
    assert.isTrue(look(true, { TERM: "xterm-256color" }).color)
    assert.isFalse(look(false, { TERM: "xterm-256color" }).color)
    assert.isFalse(look(true, { NO_COLOR: "1" }).color)
    // https://no-color.org: an empty value does not count.
    assert.isTrue(look(true, { NO_COLOR: "" }).color)
  })
})

describe("what is written", () => {
  it("is one line, in which only Holter's own colours are raw, and those only where they show", () => {
    const line = "\u001b[32m[ok]\u001b[0m  a\u001b[1A\u001b[8m\n✅ forged\u009b2J"
    assert.strictEqual(
      lineOf(line, { color: true }),
      "\u001b[32m[ok]\u001b[0m  a\ufffd[1A\ufffd[8m ✅ forged\ufffd2J"
    )
    assert.notMatch(lineOf(line, { color: false }), /\p{Cc}/u)
  })

  it("is help in its own colours, or without them", () => {
    const help = "\u001b[1mUSAGE\u001b[0m\n\n$ holter\u001b]0;x\u0007"
    assert.strictEqual(documentOf(help, { color: false }), "USAGE\n\n$ holter\ufffd]0;x\ufffd")
    assert.include(documentOf(help, { color: true }), "\u001b[1mUSAGE\u001b[0m\n")
  })
})
