import { assert, describe, it } from "@effect/vitest"
import * as GrowingSecrets from "../../src/Common/GrowingSecrets.js"
import * as Secrets from "../../src/Common/Secrets.js"

describe("GrowingSecrets", () => {
  it("hide what is added, wherever they were given before, and what was there", () => {
    const growing = GrowingSecrets.make(Secrets.make(["old-s3cr3t"]))
    const joined = GrowingSecrets.joined(Secrets.make(["own-s3cr3t"]), growing.secrets)
    const text = "old-s3cr3t own-s3cr3t new-s3cr3t"
    assert.strictEqual(growing.secrets.scrub(text), "<redacted> own-s3cr3t new-s3cr3t")
    assert.strictEqual(joined.scrub(text), "<redacted> <redacted> new-s3cr3t")
    growing.add(Secrets.make(["new-s3cr3t"]))
    assert.strictEqual(growing.secrets.scrub(text), "<redacted> own-s3cr3t <redacted>")
    assert.strictEqual(joined.scrub(text), "<redacted> <redacted> <redacted>")
    assert.deepStrictEqual(joined.scrubAll({ text }), { text: "<redacted> <redacted> <redacted>" })
    assert.deepStrictEqual([...joined.values], ["own-s3cr3t", "old-s3cr3t", "new-s3cr3t"])
  })
})
