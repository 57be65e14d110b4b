import { assert, describe, it } from "@effect/vitest"
import { Either, FastCheck as fc } from "effect"
import * as Manifest from "../../src/Backup/Manifest.js"
import { manifest } from "./manifests.js"

const known = manifest({ startedAt: 1_764_000_000_123, drilledAt: 1_765_000_000_000 })
const text = Either.getOrThrow(Manifest.toJson(known))
const changed = (change: (json: Record<string, unknown>) => void) => {
  const json = JSON.parse(text) as Record<string, unknown>
  change(json)
  return Manifest.fromJson(JSON.stringify(json))
}

describe("Manifest", () => {
  it("reads what it writes", () => {
    assert.deepStrictEqual(Either.getOrThrow(Manifest.fromJson(text)), known)
  })

  it("is JSON with names in snake case and times in UTC", () => {
    const json = JSON.parse(text) as Record<string, Record<string, unknown>>
    assert.strictEqual(json.started_at as unknown, "2025-11-24T16:00:00.123Z")
    assert.strictEqual(json.dump?.content_bytes, 1000)
    assert.strictEqual(json.dump?.engine_version, "3.50.0")
  })

  it("says that a newer Holter made it, whatever else is in it", () => {
    assert.deepStrictEqual(
      Manifest.fromJson('{"version":2,"dump":"of another form"}'),
      Either.left("a manifest of version 2, made by a newer Holter")
    )
  })

  it("names what is wrong, in short", () => {
    assert.match(
      Either.getOrThrow(Either.flip(changed((json) => delete json.dump))),
      /^a damaged manifest: dump: is missing/
    )
    const huge = Either.flip(changed((json) => (json.app = { text: "x".repeat(100_000) })))
    assert.isBelow(Either.getOrThrow(huge).length, 250)
  })

  it("never throws, whatever it reads", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.nat(text.length).map((end) => text.slice(0, end)),
          fc
            .tuple(fc.nat(text.length - 1), fc.string({ minLength: 1, maxLength: 1 }))
            .map(([at, character]) => text.slice(0, at) + character + text.slice(at + 1))
        ),
        (given) => {
          const read = Manifest.fromJson(given)
          if (Either.isLeft(read)) assert.match(read.left, /manifest/)
        }
      ),
      { numRuns: 1000 }
    )
  })

  it("keeps what a newer Holter of the same version has added", () => {
    const read = Either.getOrThrow(changed((json) => (json.added = { some: "thing" })))
    const again = Either.getOrThrow(Manifest.toJson({ ...read, pinned: true }))
    assert.deepStrictEqual((JSON.parse(again) as { added: unknown }).added, { some: "thing" })
  })

  it("tells what a strategy got wrong instead of writing it", () => {
    const wrong = Manifest.toJson({ ...known, dump: { ...known.dump, sha256: "none" } })
    assert.match(Either.getOrThrow(Either.flip(wrong)), /^a manifest that cannot be written: dump/)
  })

  it("knows its file by the backup's name, and the other way round", () => {
    assert.strictEqual(Manifest.fileOf("a.db"), "a.db.manifest.json")
    assert.strictEqual(Manifest.backupOf("a.db.manifest.json"), "a.db")
    assert.isUndefined(Manifest.backupOf("a.db"))
    assert.isUndefined(Manifest.backupOf(".manifest.json"))
  })

  it("lists parts as sha256sum does, by path", () => {
    const part = (path: string, digit: string) => ({ path, bytes: 1, sha256: digit.repeat(64) })
    assert.strictEqual(
      Manifest.listParts([part("toc.dat", "b"), part("1.dat", "a")]),
      `${"a".repeat(64)}  1.dat\n${"b".repeat(64)}  toc.dat\n`
    )
  })
})
