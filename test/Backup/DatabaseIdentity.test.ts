import { assert, describe, it } from "@effect/vitest"
import { FastCheck as fc } from "effect"
import { describe as tell, judge } from "../../src/Backup/DatabaseIdentity.js"
import type * as Manifest from "../../src/Backup/Manifest.js"

type File = NonNullable<Manifest.Identity["file"]>

const few = (...values: ReadonlyArray<string>) => fc.constantFrom(undefined, ...values)
const without = <A extends object>(given: A): A =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as A

const file: fc.Arbitrary<File> = fc
  .record({
    path: fc.constantFrom("/bot.db", "/volumes/a/bot.db", "/volumes/b/bot.db"),
    device: fc.constantFrom("8:1", "0:57"),
    source: few("/dev/sda1", "/dev/sdb1"),
    boot: few("monday", "tuesday"),
    born: few("2 100", "2 200")
  })
  .map((given) => without(given) as File)

const identity = fc
  .record({ label: few("main"), id: few("1", "2"), file: fc.option(file, { nil: undefined }) })
  .map((given) => without(given) as Manifest.Identity)

const database: fc.Arbitrary<Manifest.Database> = fc
  .record({
    engine: fc.constantFrom("sqlite", "postgresql"),
    name: fc.constantFrom("app1", "app2"),
    location: fc.constantFrom("db:5432", "/data"),
    host: few("web1", "web2"),
    identity: fc.option(identity, { nil: undefined })
  })
  .map((given) => without(given) as Manifest.Database)

const server = (id: string | undefined, more: Partial<Manifest.Database> = {}) => ({
  engine: "postgresql",
  name: "app1",
  location: "db:5432",
  ...(id === undefined ? {} : { identity: { id } }),
  ...more
})

const volume = (given: Partial<File>, more: Partial<Manifest.Database> = {}) => ({
  engine: "sqlite",
  name: "bot.db",
  location: "/data",
  identity: {
    file: {
      path: "/volumes/a/bot.db",
      device: "8:1",
      source: "/dev/sda1",
      boot: "monday",
      born: "7 100",
      ...given
    }
  },
  ...more
})

describe("Whether two backups are of one database", () => {
  it("does not depend on which is asked about which", () =>
    fc.assert(
      fc.property(database, database, (one, other) =>
        assert.strictEqual(judge(one, other), judge(other, one))
      )
    ))

  it("is never another for a database beside itself", () =>
    fc.assert(fc.property(database, (one) => assert.notStrictEqual(judge(one, one), "other"))))

  it("is never known where one of the two does not tell what it is", () =>
    fc.assert(
      fc.property(database, database, ({ identity: _, ...one }, other) =>
        assert.notStrictEqual(judge(one, other), "same")
      )
    ))

  it("needs the same engine and name, and no two hosts", () =>
    fc.assert(
      fc.property(database, database, (one, other) => {
        if (judge(one, other) === "other") return
        assert.strictEqual(one.engine, other.engine)
        assert.strictEqual(one.name, other.name)
        assert.isTrue(one.host === undefined || other.host === undefined || one.host === other.host)
      })
    ))

  it("loses nothing by what more is told: no other file becomes the same by another road", () =>
    fc.assert(
      fc.property(database, database, fc.constantFrom("db:5432", "/data"), (one, other, road) => {
        if (one.identity?.id === undefined || other.identity?.id === undefined) return
        assert.strictEqual(judge({ ...one, location: road }, other), judge(one, other))
      })
    ))

  it("is told by a server's own number, whatever the road to it", () => {
    assert.strictEqual(judge(server("1"), server("2")), "other")
    assert.strictEqual(judge(server("1"), server("1", { location: "10.0.0.7:5432" })), "same")
    assert.strictEqual(judge(server("1", { host: "a" }), server("1", { host: "b" })), "other")
    assert.strictEqual(judge(server("1"), server(undefined)), "unknown")
    assert.strictEqual(judge(server(undefined), server(undefined)), "unknown")
    assert.strictEqual(judge(server(undefined), server(undefined, { location: "x" })), "other")
    const named = (label: string) => server(undefined, { identity: { label } })
    assert.strictEqual(judge(named("main"), named("main")), "same")
    assert.strictEqual(judge(named("main"), named("copy")), "other")
  })

  it("is told by the place of a file in its file system, in each container", () => {
    assert.strictEqual(judge(volume({}), volume({ path: "/volumes/b/bot.db" })), "other")
    assert.strictEqual(judge(volume({}), volume({}, { location: "/var/lib/x" })), "same")
    assert.strictEqual(judge(volume({}), volume({ source: "/dev/sdb1", device: "8:2" })), "other")
    // A share that was mounted again.
    const share = volume({ source: "nas:/x", device: "0:50" })
    assert.strictEqual(judge(share, volume({ source: "nas:/x", device: "0:61" })), "same")
  })

  it("outlasts a restart of the system, and says where it cannot know", () => {
    const after = { boot: "tuesday", device: "8:17", source: "/dev/sdb1" }
    assert.strictEqual(judge(volume({}), volume(after)), "same")
    assert.strictEqual(judge(volume({}), volume({ ...after, born: "7 200" })), "unknown")
    const web1 = { host: "web1" }
    const again = volume({ boot: "tuesday", born: "8 300" }, web1)
    assert.strictEqual(judge(volume({}, web1), again), "same")
    assert.strictEqual(judge(volume({}), again), "unknown")
  })

  it("is another for a new volume that got the number and the name of the last one", () => {
    const top = (born: string) => volume({ path: "/bot.db", born })
    assert.strictEqual(judge(top("2 100"), top("2 200")), "other")
    const nameless = (born: string) =>
      volume({ path: "/bot.db", source: undefined, device: "0:57", born })
    assert.strictEqual(judge(nameless("1 100"), nameless("1 200")), "other")
    assert.strictEqual(judge(nameless("1 100"), nameless("1 100")), "same")
    // A directory that was made again is the same place.
    assert.strictEqual(judge(volume({}), volume({ born: "9 300" })), "same")
  })

  it("is told in words", () => {
    assert.strictEqual(tell(server("7312", { host: "a" })), "db:5432 on a (system identifier 7312)")
    assert.strictEqual(tell(volume({})), "/data (/volumes/a/bot.db of /dev/sda1)")
    assert.strictEqual(tell(server(undefined)), "db:5432")
  })
})
