import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { version } from "../../src/Common/Version.js"

describe("Version", () => {
  it("is the version of package.json", () => {
    const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8")
    assert.strictEqual((JSON.parse(text) as { version: string }).version, version)
  })
})
