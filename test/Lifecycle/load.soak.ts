import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Program from "../support/Program.js"
import * as Load from "./load.js"

describe("a server under load, for long", () => {
  let bundle: Program.Bundle
  beforeAll(async () => {
    bundle = await Program.bundle("test/Lifecycle/programs/bot.ts")
  })
  afterAll(() => bundle.dispose())

  it.live(
    "drops no request whose handler started, in 200 rounds",
    () =>
      Effect.map(Load.rounds(bundle, 200), (requests) => {
        assert.isAbove(requests, 200 * 200)
      }),
    1_800_000
  )
})
