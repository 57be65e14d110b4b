import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as Alarms from "../../src/Backup/Backup/Alarms.js"
import type * as Manifest from "../../src/Backup/Manifest.js"
import { dump } from "./manifests.js"

const of = (contentBytes: number, tables: Readonly<Record<string, number>>): Manifest.Dump => ({
  ...dump,
  contentBytes,
  tables: Object.entries(tables).map(([name, rows]) => ({ name, rows }))
})

const tables = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.nat(3))

describe("Alarms", () => {
  it("says nothing about a first backup, and about one like the last", () => {
    assert.deepStrictEqual(Alarms.compare(undefined, of(0, {})), [])
    fc.assert(
      fc.property(fc.nat(), tables, (bytes, rows) => {
        assert.deepStrictEqual(Alarms.compare(of(bytes, rows), of(bytes, rows)), [])
      })
    )
  })

  it("tells a database of less than half its size", () => {
    assert.deepStrictEqual(Alarms.compare(of(1000, {}), of(500, {})), [])
    assert.deepStrictEqual(Alarms.compare(of(1000, {}), of(499, {})), [
      "The database shrank from 1000 to 499 bytes since the last good backup"
    ])
  })

  it("tells tables that lost all their rows, and those that are gone", () => {
    assert.deepStrictEqual(
      Alarms.compare(of(1, { a: 5, b: 7, c: 0, d: 2 }), of(1, { a: 0, c: 0, d: 1 })),
      [
        "Table a has no rows; it had 5 in the last good backup",
        "Table b is gone; it had 7 rows in the last good backup"
      ]
    )
  })

  it("names each of them, and no other", () => {
    fc.assert(
      fc.property(tables, tables, (before, now) => {
        const lost = Object.keys(before).filter((name) => before[name] && !now[name])
        assert.deepStrictEqual(
          Alarms.compare(of(1, before), of(1, now)).map((text) => text.split(" ")[1]),
          lost
        )
      })
    )
  })

  it("stays short where all is lost", () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`t${index}`, 1]))
    const told = Alarms.compare(of(1, many), of(1, {}))
    assert.lengthOf(told, 11)
    assert.strictEqual(told.at(-1), "490 more tables lost all their rows or are gone")
  })
})
