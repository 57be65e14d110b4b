/**
 * One name, one meaning: `import * as Redis from "holter/plugins/Redis"` is Effect's habit, and what it
 * finds must not look like a member of the check or channel and be something else.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync } from "node:fs"
import * as path from "node:path"
import * as AlertChannel from "../../src/Alert/AlertChannel.js"
import * as Check from "../../src/Check/Check.js"
import * as Catalog from "../../src/Cli/Catalog.js"
import * as Plugin from "../../src/Plugin/Plugin.js"
import { projectRoot } from "./planted.js"

const folder = path.join(projectRoot, "src/plugins")
const plugins = readdirSync(folder).filter((name) => name.endsWith(".ts"))

describe.each(plugins)("what %s exports beside its check or channel", (name) => {
  const load = async () => {
    const module = (await import(path.join(folder, name))) as Readonly<Record<string, unknown>>
    const whole = Object.values(module).filter(
      (value) => Check.isCheck(value) || AlertChannel.isAlertChannel(value)
    )
    return { names: Object.keys(module), members: new Set(whole.flatMap(Object.keys)) }
  }

  it("has no name of theirs", async () => {
    const { members, names } = await load()
    assert.deepStrictEqual(
      names.filter((each) => members.has(each)),
      []
    )
  })

  it("is called layerClient where it is a layer", async () => {
    const { members, names } = await load()
    const layers = members.size === 0 ? [] : names.filter((each) => each.startsWith("layer"))
    assert.deepStrictEqual(
      layers.filter((each) => !each.startsWith("layerClient")),
      []
    )
  })
})

describe("the catalog of the command line", () => {
  it.effect("has every check and channel of src/plugins, and each under its own type", () =>
    Effect.gen(function* () {
      const { checks, channels } = Catalog.builtIn
      const known = yield* Effect.all([...loaded(checks), ...loaded(channels)])
      assert.deepStrictEqual(
        known.map(({ one }) => one.type),
        known.map(({ type }) => type)
      )
      const modules = yield* Effect.forEach(plugins, (name) =>
        Effect.promise(
          () => import(path.join(folder, name)) as Promise<Readonly<Record<string, unknown>>>
        )
      )
      const exported = modules
        .flatMap((module) => Object.values(module))
        .filter((value) => Plugin.kindOf(value) !== undefined)
      const listed = new Set<unknown>(known.map(({ one }) => one))
      assert.isAbove(exported.length, 0)
      assert.deepStrictEqual(
        exported.filter((value) => !listed.has(value)),
        []
      )
    })
  )
})

const loaded = <A>(types: Catalog.Types<A>) =>
  [...types].map(([type, load]) => Effect.map(load, (one) => ({ type, one })))
