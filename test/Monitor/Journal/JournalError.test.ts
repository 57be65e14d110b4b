import { assert, describe, it } from "@effect/vitest"
import { JournalError } from "../../../src/Monitor/Journal/JournalError.js"

describe("JournalError", () => {
  it("has one mark between its sentences, whatever the database's own words end with", () => {
    const { message } = new JournalError({
      reason: "Unavailable",
      place: "data/holter.db",
      expected: "a database that answers",
      found: "the database system is shutting down.",
      advice: "See that it runs."
    })
    assert.include(message, "found the database system is shutting down. See that it runs.")
    assert.notInclude(message, "..")
  })
})
