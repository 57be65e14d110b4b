/** The type gate reports what the Effect language service finds and the plain compiler lets pass. */
import { assert, beforeAll, describe, it } from "@effect/vitest"
import * as path from "node:path"
import { plant, projectRoot, run } from "./planted.js"

const breaches: ReadonlyArray<readonly [rule: string, text: string]> = [
  [
    "floatingEffect",
    `export const a = Effect.gen(function* () { Effect.log("lost"); yield* Effect.void })`
  ],
  [
    "leakingRequirements",
    `export class Db extends Context.Tag("Db")<Db, { readonly query: Effect.Effect<void> }>() {}
export class Leaky extends Context.Tag("Leaky")<Leaky, {
  readonly one: Effect.Effect<void, never, Db>
  readonly two: (name: string) => Effect.Effect<void, never, Db>
}>() {}`
  ],
  ["anyUnknownInErrorContext", `export const a = Effect.fail(1 as unknown)`],
  [
    "missingEffectContext",
    `class Db extends Context.Tag("Db")<Db, number>() {}
export const a: Effect.Effect<number> = Effect.map(Db, (n) => n)`
  ],
  [
    "missingStarInYieldEffectGen",
    `export const a = Effect.gen(function* () { yield Effect.void })`
  ],
  [
    "returnEffectInGen",
    `export const a = Effect.gen(function* () { yield* Effect.void; return Effect.succeed(1) })`
  ],
  [
    "unknownInEffectCatch",
    `export const a = Effect.tryPromise({ try: () => Promise.resolve(1), catch: (error) => error })`
  ],
  ["unsafeEffectTypeAssertion", `export const a = Effect.fail("no") as Effect.Effect<never>`]
]

/** What does not count: suggestions, lost error types in tests, and all in type tests. */
const allowed: Record<string, string> = {
  "src/suggestion.ts": `export const a = Effect.succeed(undefined)`,
  "test/unknown.ts": `export const a = Effect.fail(1 as unknown)`,
  "test/types/expected.test-d.ts": `// @ts-expect-error -- the error is not declared
export const a: Effect.Effect<number> = Effect.fail("no")`
}

describe("effect diagnostics", () => {
  let output = ""
  let code = 0
  beforeAll(async () => {
    const files = {
      ...allowed,
      ...Object.fromEntries(breaches.map(([rule, text]) => [`src/${rule}.ts`, text]))
    }
    const imports = `import { Context, Effect } from "effect"\nvoid Context\n`
    const planted = plant(
      Object.fromEntries(Object.entries(files).map(([file, text]) => [file, imports + text]))
    )
    const script = path.join(projectRoot, "scripts/typecheck.mjs")
    const ended = await run(planted.root, "node", [script])
    planted.remove()
    output = ended.stdout
    code = ended.code
  })

  it("fail the gate", () => {
    assert.strictEqual(code, 1)
  })

  it.each(breaches)("%s", (rule) => {
    assert.match(output, new RegExp(`^src/${rule}\\.ts.* effect\\(${rule}\\): `, "m"))
  })

  it.each(Object.keys(allowed))("%s: allowed", (file) => {
    assert.notInclude(output, file)
  })
})
