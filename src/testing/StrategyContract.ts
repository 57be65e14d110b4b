/**
 * What every backup strategy promises, as effects that any test runner can run. A strategy that keeps all
 * laws can be published: `Backup` trusts it with the present of a database.
 *
 * @example
 * import { it } from "@effect/vitest"
 * import type { BackupStrategy } from "holter"
 * import { StrategyContract } from "holter/testing"
 * import { Effect } from "effect"
 *
 * declare const strategy: BackupStrategy.Strategy
 * declare const write: (text: string) => Effect.Effect<void>
 * declare const read: Effect.Effect<string>
 *
 * const sample = Effect.succeed({
 *   strategy,
 *   directory: "/tmp/backups",
 *   content: read,
 *   change: write("something else")
 * })
 *
 * for (const law of StrategyContract.laws("tar", sample)) {
 *   it.effect(law.name, () => law.effect)
 * }
 */
import { Clock, DateTime, Effect, Either, Exit, Scope } from "effect"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import type { BackupError } from "../Backup/BackupError.js"
import type {
  DumpOptions,
  HoldOptions,
  Payload,
  RestoreOptions,
  Strategy
} from "../Backup/BackupStrategy/Strategy.js"
import type * as Manifest from "../Backup/Manifest.js"
import type { Law } from "./PluginContract.js"
import { type ContractViolation, holds } from "./PluginContract/ContractViolation.js"

/** A database of its own that holds something, and a strategy for it. */
export interface Sample {
  readonly strategy: Strategy
  /** Where dumps are written: nothing of this sample's is in it yet. */
  readonly directory: string
  /** All that the database holds, as text that is equal where the content is. */
  readonly content: Effect.Effect<string>
  /** Makes another content of it. It is called more than once. */
  readonly change: Effect.Effect<void>
}

/**
 * The laws for one strategy. Each makes a sample of its own. They take real time, also under a virtual
 * clock.
 */
export const laws = <E>(
  name: string,
  sample: Effect.Effect<Sample, E, Scope.Scope>
): ReadonlyArray<Law> => {
  const law = (what: string, check: (one: Sample, expect: Expect) => Check): Law => ({
    name: what,
    effect: Effect.orDie(sample).pipe(
      Effect.flatMap((one) => check(one, holds({ type: name }, what))),
      Effect.scoped,
      Effect.withClock(Clock.make())
    )
  })
  return [
    law("names its engine, its files and its database", names),
    law("writes a dump for this user alone, with a record that is true", dumps),
    law("verifies a good dump, and refuses a damaged one", verifies),
    law("practises a dump beside the database, which stays as it is", drills),
    law("restores what was dumped, and tells what has become of the present", restores),
    law("leaves the present as it was where a restore fails", failures),
    law("saves and replaces the same content while it holds others back", holding)
  ]
}

type Expect = ReturnType<typeof holds>
type Check = Effect.Effect<void, ContractViolation, Scope.Scope>

const names = ({ strategy }: Sample, expect: Expect): Check =>
  Effect.gen(function* () {
    const { engine, extension } = strategy
    yield* expect(/^[a-z0-9]+$/.test(engine), "an engine of lower-case letters and digits", engine)
    for (const compression of ["none", "gzip", "zstd"] as const) {
      const end = extension(compression)
      yield* expect(/^[a-z0-9]+(\.[a-z0-9]+)*$/.test(end), "an extension such as tar.gz", end)
    }
    const database = yield* done(expect, "to name its database", strategy.database)
    yield* expect(database.engine === engine, `a database of the engine ${engine}`, database.engine)
    yield* expect(database.name !== "", "a database with a name", "none")
    const present = yield* done(expect, "to look at its database", strategy.present)
    yield* expect(present._tag === "Readable", "a readable present", present._tag)
  })

const dumps = (sample: Sample, expect: Expect): Check =>
  Effect.gen(function* () {
    const before = yield* sample.content
    const { dump, path: file } = yield* dumped(sample, expect, "one")
    const beside = yield* Effect.promise(() => fs.readdir(sample.directory))
    const left = beside.filter((each) => each.startsWith("one") && each !== "one")
    yield* expect(left.length === 0, "nothing beside the dump under its name", left.join(", "))
    const found = yield* Effect.promise(() => sizes(file))
    yield* expect(found.strangers === 0, "files for their user alone", "rights of others")
    yield* expect(
      found.bytes === dump.bytes,
      `the ${found.bytes} bytes on the disk`,
      `${dump.bytes}`
    )
    yield* expect(dump.database.engine === sample.strategy.engine, "its engine", "another one")
    yield* expect(dump.contentBytes > 0, "the bytes of the content", `${dump.contentBytes}`)
    const after = yield* sample.content
    yield* expect(after === before, "a database that is as it was", "another content")
  })

const verifies = (sample: Sample, expect: Expect): Check =>
  Effect.gen(function* () {
    const { strategy } = sample
    const payload = yield* dumped(sample, expect, "one")
    for (const deep of [false, true]) {
      yield* done(
        expect,
        "to verify its dump",
        strategy.verify(payload, { deep, onProgress: silent })
      )
    }
    for (const [what, damage] of damages) {
      const broken = yield* damaged(sample, payload, damage)
      const verdict = yield* Effect.either(
        strategy.verify(broken, { deep: false, onProgress: silent })
      )
      yield* expect(Either.isLeft(verdict), `to refuse a dump ${what}`, "that it is verified")
    }
  })

const drills = (sample: Sample, expect: Expect): Check =>
  Effect.gen(function* () {
    const payload = yield* dumped(sample, expect, "one")
    yield* sample.change
    const before = yield* sample.content
    const drill = sample.strategy.drill(payload, { onProgress: silent })
    const { tables } = yield* done(expect, "to practise its dump", drill)
    const [found, recorded] = [shown(tables), shown(payload.dump.tables)]
    yield* expect(found === recorded, `the tables of the record, ${recorded}`, found)
    const after = yield* sample.content
    yield* expect(after === before, "a database that is as it was", "another content")
  })

const restores = (sample: Sample, expect: Expect): Check =>
  Effect.gen(function* () {
    const before = yield* sample.content
    const payload = yield* dumped(sample, expect, "one")
    yield* sample.change
    const outcomes: Array<string> = []
    const restore = sample.strategy.restore(payload, {
      ...restoring,
      onOutcome: ({ _tag }) => Effect.sync(() => void outcomes.push(_tag))
    })
    const restored = yield* done(expect, "to restore its dump", restore)
    const after = yield* sample.content
    yield* expect(after === before, "the content that was dumped", "another content")
    yield* expect(restored.method !== "", "the way in words", "none")
    const told = outcomes.join(", ")
    yield* expect(told === "Unknown, Replaced", "the outcomes Unknown, Replaced", told || "none")
    const aside = yield* done(expect, "to list what it set aside", sample.strategy.setAside)
    const { setAside } = restored
    const isListed = setAside === undefined || aside.some(({ name }) => setAside.endsWith(name))
    yield* expect(isListed, "what it set aside in its list", "nothing of that name")
  })

const failures = (sample: Sample, expect: Expect): Check =>
  Effect.gen(function* () {
    const payload = yield* dumped(sample, expect, "one")
    yield* sample.change
    const before = yield* sample.content
    for (const [what, damage] of damages) {
      const broken = yield* damaged(sample, payload, damage)
      const restored = yield* Effect.either(sample.strategy.restore(broken, restoring))
      yield* expect(Either.isLeft(restored), `not to restore a dump ${what}`, "that it is done")
      const after = yield* sample.content
      yield* expect(after === before, `the content of before, with a dump ${what}`, "another one")
    }
  })

const holding = (sample: Sample, expect: Expect): Check =>
  Effect.gen(function* () {
    const { hold } = sample.strategy
    if (hold === undefined) return
    const before = yield* sample.content
    const payload = yield* dumped(sample, expect, "one")
    yield* sample.change
    const changed = yield* sample.content
    let quiet = 0
    const quiesce = Effect.acquireRelease(
      Effect.sync(() => void (quiet += 1)),
      () => Effect.sync(() => void (quiet -= 1))
    )
    const scope = yield* Scope.make()
    const options: HoldOptions = { ...restoring, quiesce }
    const held = yield* done(
      expect,
      "to hold others back",
      Scope.extend(hold(payload, options), scope)
    )
    yield* expect(quiet === 1, "to hold the program's own writes first", `${quiet} holds`)
    const file = path.join(sample.directory, "held")
    const saved = yield* done(expect, "to dump what it holds", held.dump(dumping(file)))
    yield* done(expect, "to restore what it holds", held.restore)
    yield* Scope.close(scope, Exit.void)
    yield* expect(quiet === 0, "to let the program write again", "that it does not")
    yield* expect((yield* sample.content) === before, "the content that was dumped", "another one")
    const back = sample.strategy.restore({ ...payload, path: file, dump: saved }, restoring)
    yield* done(expect, "to restore what it saved", back)
    yield* expect((yield* sample.content) === changed, "the content that it held", "another one")
  })

interface Dumped extends Payload {
  readonly dump: Manifest.Dump
}

const dumped = (
  { directory, strategy }: Sample,
  expect: Expect,
  name: string
): Effect.Effect<Dumped, ContractViolation> => {
  const file = path.join(directory, name)
  return Effect.map(done(expect, "to dump its database", strategy.dump(dumping(file))), (dump) => ({
    path: file,
    compression: dump.compression,
    dump
  }))
}

const silent = () => Effect.void

const dumping = (file: string): DumpOptions => ({
  path: file,
  compression: "none",
  level: undefined,
  onProgress: silent
})

const restoring: RestoreOptions = {
  startedAt: DateTime.unsafeMake(0),
  replaceDamaged: false,
  onProgress: silent
}

const done = <A, R>(
  expect: Expect,
  expected: string,
  work: Effect.Effect<A, BackupError, R>
): Effect.Effect<A, ContractViolation, R> =>
  Effect.catchAll(work, ({ message }) =>
    Effect.zipRight(expect(false, expected, message), Effect.never)
  )

const shown = (tables: ReadonlyArray<Manifest.Table>): string =>
  JSON.stringify(
    tables
      .map(({ name, rows }) => `${name}: ${rows}`)
      .sort((one, other) => (one < other ? -1 : Number(one > other)))
  )

type Damage = (bytes: Buffer) => Buffer

const damages: ReadonlyArray<readonly [string, Damage]> = [
  ["that is cut off", (bytes) => bytes.subarray(0, Math.floor(bytes.length / 2))],
  [
    "with another byte in it",
    (bytes) => {
      const changed = Buffer.from(bytes)
      const at = Math.floor(bytes.length / 2)
      changed[at] = (changed[at] ?? 0) ^ 0xff
      return changed
    }
  ],
  ["that is empty", () => Buffer.alloc(0)]
]

/** A copy with a fault in its largest file. */
const damaged = ({ directory }: Sample, payload: Dumped, damage: Damage): Effect.Effect<Dumped> =>
  Effect.promise(async () => {
    const target = path.join(await fs.mkdtemp(path.join(directory, "damaged-")), "one")
    await fs.cp(payload.path, target, { recursive: true })
    const files = await filesOf(target)
    const sized = await Promise.all(files.map(async (file) => ({ file, ...(await fs.stat(file)) })))
    const [largest] = sized.sort((one, other) => other.size - one.size)
    if (largest !== undefined) {
      await fs.writeFile(largest.file, damage(await fs.readFile(largest.file)))
    }
    return { ...payload, path: target }
  })

const filesOf = async (place: string): Promise<ReadonlyArray<string>> => {
  if (!(await fs.stat(place)).isDirectory()) return [place]
  const within = await fs.readdir(place)
  return (await Promise.all(within.map((name) => filesOf(path.join(place, name))))).flat()
}

const sizes = async (place: string) => {
  const found = await Promise.all((await filesOf(place)).map((file) => fs.stat(file)))
  const all = [...found, await fs.stat(place)]
  return {
    bytes: found.reduce((total, { size }) => total + size, 0),
    strangers: all.filter(({ mode }) => (mode & 0o077) !== 0).length
  }
}
