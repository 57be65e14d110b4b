import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import * as DataLoss from "../../src/Backup/Backup/DataLoss.js"
import type * as Manifest from "../../src/Backup/Manifest.js"
import { dump } from "./manifests.js"

const of = (contentBytes: number, tables: Readonly<Record<string, number>>): Manifest.Dump => ({
  ...dump,
  contentBytes,
  tables: Object.entries(tables).map(([name, rows]) => ({ name, rows }))
})

const nothing = { alarms: [], notes: [] }
const tables = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), fc.nat(3))
const total = (rows: Readonly<Record<string, number>>) =>
  Object.values(rows).reduce((sum, one) => sum + one, 0)

describe("Alarms", () => {
  it("says nothing about a first backup, about one like the last, and about one that grew", () => {
    assert.deepStrictEqual(DataLoss.compare(undefined, of(0, {})), nothing)
    fc.assert(
      fc.property(fc.nat(), tables, fc.nat(9), (bytes, rows, more) => {
        const grown = Object.fromEntries(Object.entries(rows).map(([name, n]) => [name, n + more]))
        assert.deepStrictEqual(DataLoss.compare(of(bytes, rows), of(bytes, rows)), nothing)
        assert.deepStrictEqual(DataLoss.compare(of(bytes, rows), of(bytes, grown)), nothing)
      })
    )
  })

  it("tells a database of less than half its size, where its rows are fewer or unknown", () => {
    assert.deepStrictEqual(DataLoss.compare(of(1e6, {}), of(5e5, {})), nothing)
    const told = ["The database shrank from 1 MB to 499 kB since the last good backup"]
    assert.deepStrictEqual(DataLoss.compare(of(1e6, {}), of(499e3, {})), {
      alarms: told,
      notes: []
    })
    // VACUUM FULL.
    assert.deepStrictEqual(DataLoss.compare(of(1e6, { a: 9 }), of(499e3, { a: 9 })), {
      alarms: [],
      notes: told
    })
    assert.deepStrictEqual(DataLoss.compare(of(1e6, { a: 9 }), of(499e3, { a: 8 })).alarms, told)
  })

  it("a queue that was worked off is a note, the loss of a table that held much an alarm", () => {
    assert.deepStrictEqual(
      DataLoss.compare(of(1, { orders: 1000, queue: 1 }), of(1, { orders: 2000, queue: 0 })),
      { alarms: [], notes: ["Table queue has no rows; it had 1 in the last good backup"] }
    )
    assert.deepStrictEqual(
      DataLoss.compare(of(1, { a: 5, b: 7, c: 0, d: 20 }), of(1, { a: 0, c: 0, d: 21 })),
      {
        alarms: [
          "Table a has no rows; it had 5 in the last good backup",
          "Table b is gone; it had 7 rows in the last good backup"
        ],
        notes: []
      }
    )
    assert.deepStrictEqual(DataLoss.compare(of(1, { a: 100 }), of(1, { a: 49 })).alarms, [
      "All tables together have 49 rows; they had 100 in the last good backup"
    ])
  })

  it("partitions count with their root: an old one may go, the whole may not", () => {
    const parts = (...rows: ReadonlyArray<number>): Manifest.Dump => ({
      ...dump,
      contentBytes: 1,
      tables: rows.map((n, index) => ({ name: `e_${index}`, rows: n, root: "events" }))
    })
    assert.deepStrictEqual(DataLoss.compare(parts(10, 10, 10), parts(0, 10, 10)), nothing)
    assert.deepStrictEqual(DataLoss.compare(parts(10, 10, 10), parts(10, 10)), nothing)
    assert.include(
      DataLoss.compare(parts(10, 10, 10), parts()).alarms,
      "Table events is gone; it had 30 rows in the last good backup"
    )
    // An older manifest does not name roots; the new one does.
    const old = {
      ...parts(10, 10, 10),
      tables: [
        { name: "e_0", rows: 10 },
        { name: "e_1", rows: 20 }
      ]
    }
    assert.deepStrictEqual(DataLoss.compare(old, parts(25, 0)), nothing)
  })

  it("leaves out what is to be ignored, by name, with its schema or a star", () => {
    const before = of(1, {
      "public.queue": 50,
      'public."Odd q"': 50,
      "app.jobs_1": 50,
      "app.users": 50
    })
    const now = of(1, { "public.queue": 0, 'public."Odd q"': 0, "app.jobs_1": 0, "app.users": 50 })
    assert.deepStrictEqual(
      DataLoss.compare(before, now, ["queue", "public.Odd q", "app.jobs_*"]),
      nothing
    )
    assert.lengthOf(DataLoss.compare(before, now, ["que", "app", "jobs"]).alarms, 3)
  })

  it("names every table that is empty, once, and is alarmed whenever half of all rows are lost", () => {
    fc.assert(
      fc.property(tables, tables, (before, now) => {
        const lost = Object.keys(before).filter((name) => before[name] && !now[name])
        const { alarms, notes } = DataLoss.compare(of(1, before), of(1, now))
        assert.sameMembers(
          [...alarms, ...notes].flatMap((text) => /^Table (\S+)/.exec(text)?.[1] ?? []),
          lost
        )
        if (total(now) * 2 < total(before)) assert.isNotEmpty(alarms)
        if (lost.length === 0 && total(now) * 2 >= total(before)) assert.isEmpty(alarms)
        assert.deepStrictEqual(DataLoss.compare(of(1, before), of(1, now), ["*"]), nothing)
      })
    )
  })

  it("stays short where all is lost", () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`t${index}`, 1]))
    const { alarms, notes } = DataLoss.compare(of(1, many), of(1, {}))
    assert.lengthOf(alarms, 1)
    assert.lengthOf(notes, 11)
    assert.strictEqual(notes.at(-1), "490 more tables lost all their rows or are gone")
  })
})
