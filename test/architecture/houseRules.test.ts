/** The lint gate and the Effect diagnostics report a breach of every house rule, and nothing else. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as fs from "node:fs"
import * as path from "node:path"
import { plant, projectRoot, runTool } from "./planted.js"

const effect = `import { Effect } from "effect"\n`
const vitest = `import { describe, it } from "@effect/vitest"\n`

/** What a file holds, and the rule that must report it. */
const breaches: ReadonlyArray<readonly [name: string, rule: string, text: string]> = [
  ["src/TryCatch.ts", "restricted", `try { JSON.parse("") } catch { /* none */ }`],
  ["src/NewDate.ts", "restricted", `export const now = new Date()`],
  ["src/DateNow.ts", "restricted", `export const now = Date.now()`],
  ["src/Random.ts", "restricted", `export const dice = Math.random()`],
  ["src/Console.ts", "restricted", `console.log("hello")`],
  ["src/Env.ts", "restricted", `export const home = process.env["HOME"]`],
  ["src/EnvImport.ts", "restricted", `import { env } from "node:process"\nexport const e = env`],
  ["src/Exit.ts", "restricted", `process.exit(1)`],
  ["src/Timeout.ts", "restricted", `setTimeout(() => undefined, 1)`],
  ["src/Interval.ts", "restricted", `globalThis.setInterval(() => undefined, 1)`],
  ["src/Timers.ts", "restricted", `import * as t from "node:timers/promises"\nexport { t }`],
  ["src/RunPromise.ts", "restricted", `${effect}void Effect.runPromise(Effect.void)`],
  ["src/RunSync.ts", "restricted", `${effect}Effect.runSync(Effect.void)`],
  ["src/RunFork.ts", "restricted", `${effect}Effect.runFork(Effect.void)`],
  ["src/RunCallback.ts", "restricted", `${effect}Effect.runCallback(Effect.void)`],
  ["src/Deep.ts", "restricted", `import * as E from "effect/Effect"\nexport { E }`],
  ["src/Any.ts", "no-explicit-any", `export const id = (a: any): unknown => a`],
  ["src/AsAny.ts", "no-explicit-any", `export const has = (a: object) => Object.is(a as any, 1)`],
  ["src/NonNull.ts", "no-non-null-assertion", `export const f = (a: string | undefined) => a!`],
  [
    "src/Switch.ts",
    "switch-exhaustiveness-check",
    `export const f = (a: "x" | "y") => { switch (a) { case "x": return 1; default: return 2 } }`
  ],
  ["src/Promise.ts", "no-floating-promises", `Promise.resolve(1)`],
  ["src/TsIgnore.ts", "ban-ts-comment", `// @ts-ignore\nexport const one: number = "one"`],
  [
    "src/Unused.ts",
    "unused-disable",
    `// eslint-disable-next-line no-restricted-syntax -- why\nexport {}`
  ],
  ["test/Skip.test.ts", "restricted", `${vitest}it.skip("a", () => undefined)`],
  [
    "test/SkipEffect.test.ts",
    "restricted",
    `${vitest}${effect}it.effect.skip("a", () => Effect.void)`
  ],
  ["test/Only.test.ts", "restricted", `${vitest}describe.only("a", () => undefined)`],
  ["test/Todo.test.ts", "restricted", `${vitest}it.todo("a")`],
  ["test/SkipIf.test.ts", "restricted", `${vitest}describe.skipIf(true)("a", () => undefined)`],
  ["test/Timeout.test.ts", "restricted", `setTimeout(() => undefined, 1)`],
  ["test/RunPromise.test.ts", "restricted", `${effect}void Effect.runPromise(Effect.void)`],
  [
    "test/Live.test.ts",
    "restricted",
    `${vitest}${effect}it.live("a", () => Effect.sleep("1 second"))`
  ],
  [
    "test/LiveLayer.test.ts",
    "restricted",
    `${vitest}import { Effect, Layer } from "effect"
it.layer(Layer.empty, { excludeTestServices: true })((it) => {
  it.effect("a", () => Effect.void.pipe(Effect.delay("1 second")))
})`
  ]
]

/** What comes near a breach and is none. */
const allowed: Record<string, string> = {
  "src/Main.ts": `${effect}Effect.runFork(Effect.void)\nprocess.exit(1)`,
  "src/Lifecycle/runMain.ts": `process.exit(1)`,
  "src/Disabled.ts": `// eslint-disable-next-line no-restricted-syntax -- the platform's edge\nDate.now()`,
  "src/Dates.ts": `import { Schema } from "effect"\nexport const At = Schema.Date`,
  "src/Switch2.ts": `export const f = (a: "x" | "y") => { switch (a) { case "x": return 1; case "y": return 2 } }`,
  "test/Virtual.test.ts": `${vitest}${effect}it.effect("a", () => Effect.fork(Effect.sleep("1 hour")))`,
  "scripts/tool.ts": `console.log(Date.now(), process.env["HOME"])`
}

interface LintResult {
  readonly filePath: string
  readonly messages: ReadonlyArray<{ readonly ruleId: string | null; readonly message: string }>
}

const shortName = (message: LintResult["messages"][number]): string =>
  message.ruleId === null
    ? message.message.startsWith("Unused eslint-disable")
      ? "unused-disable"
      : message.message
    : message.ruleId
        .replace("@typescript-eslint/", "")
        .replace("no-restricted-syntax", "restricted")

describe("house rules", () => {
  const planted = plant({
    ...allowed,
    ...Object.fromEntries(breaches.map(([name, , text]) => [name, text]))
  })
  afterAll(planted.remove)

  const reported = new Map<string, ReadonlyArray<string>>()
  beforeAll(async () => {
    const config = path.join(projectRoot, "eslint.config.js")
    const { stdout } = await runTool(planted.root, "eslint", ["-c", config, "-f", "json", "."])
    for (const { filePath, messages } of JSON.parse(stdout) as ReadonlyArray<LintResult>) {
      reported.set(path.relative(planted.root, filePath), messages.map(shortName))
    }
  }, 60_000)

  it.each(breaches)("%s: %s", (name, rule) => {
    assert.deepStrictEqual(reported.get(name), [rule])
  })

  it.each(Object.keys(allowed))("%s: allowed", (name) => {
    assert.deepStrictEqual(reported.get(name), [])
  })

  it("every disabled rule says why", () => {
    const silent = ["src", "test", "bench", "examples"].flatMap((folder) =>
      fs
        .readdirSync(path.join(projectRoot, folder), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts") && !file.includes("node_modules"))
        .map((file) => path.join(folder, file))
        .filter((file) => path.resolve(projectRoot, file) !== import.meta.filename)
        .filter((file) =>
          /eslint-disable(?!.* -- \S)/.test(fs.readFileSync(path.join(projectRoot, file), "utf8"))
        )
    )
    assert.deepStrictEqual(silent, [])
  })
})
