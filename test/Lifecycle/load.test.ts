import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Program from "../support/Program.js"
import * as Load from "./load.js"

describe("a server under load", () => {
  let bundle: Program.Bundle
  beforeAll(async () => {
    bundle = await Program.bundle("test/Lifecycle/programs/bot.ts")
  })
  afterAll(() => bundle.dispose())

  it.live(
    "drops no request whose handler started, in 10 rounds",
    () =>
      Effect.map(Load.rounds(bundle, 10), (requests) => {
        assert.isAbove(requests, 10 * 200)
      }),
    120_000
  )
})
