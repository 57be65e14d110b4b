/** A store that is no directory: what it keeps has no path, and it counts what it is asked. */
import { Chunk, Effect, Either, Option, Stream } from "effect"
import { createHash } from "node:crypto"
import { BackupError } from "../../../src/Backup/BackupError.js"
import type { Content, Entry, ObjectStore } from "../../../src/Backup/ObjectStore.js"

interface Kept {
  readonly parts: ReadonlyMap<string, Buffer>
  readonly version: string
}

export const make = (place = "memory") => {
  const kept = new Map<string, Kept>()
  const asked: Array<string> = []
  let versions = 0
  const set = (key: string, parts: Kept["parts"]) => {
    versions++
    kept.set(key, { parts, version: `${versions}` })
  }
  const textIn = ({ parts }: Kept): string => (parts.get("") ?? Buffer.alloc(0)).toString("utf8")
  const entry = (key: string, one: Kept, isText: boolean): Entry => ({
    key,
    bytes: [...one.parts.values()].reduce((total, { length }) => total + length, 0),
    parts: one.parts.has("")
      ? undefined
      : new Map([...one.parts].map(([path, { length }]) => [path, length])),
    version: one.version,
    modified: 0,
    problem: undefined,
    text: isText ? Either.right(textIn(one)) : undefined
  })
  const objects: ObjectStore = {
    kind: "memory",
    place,
    describe: Effect.succeed({ free: Effect.succeed(undefined), warnings: [] }),
    list: ({ keys, texts }) =>
      Effect.sync(() => {
        asked.push("list")
        const wanted = [...kept].filter(([key]) => keys(key))
        return wanted.map(([key, one]) => {
          if (texts(key)) asked.push(`read ${key}`)
          return entry(key, one, texts(key))
        })
      }),
    get: (key) =>
      Effect.sync(() =>
        Option.map(Option.fromNullable(kept.get(key)), (one) => ({
          version: one.version,
          problem: undefined,
          file: undefined,
          parts: [...one.parts].map(([path, bytes]) => ({
            path,
            bytes: bytes.length,
            sha256: undefined,
            content: Stream.suspend(() => {
              asked.push(`read ${key}`)
              return Stream.make(bytes)
            })
          }))
        }))
      ),
    put: (key, text, over) =>
      Effect.sync(() => {
        const before = kept.get(key)
        if (before === undefined || textIn(before) !== over) return false
        set(key, new Map([["", Buffer.from(text)]]))
        return true
      }),
    putIfAbsent: (key, content, { beforeCommit = Effect.void } = {}) =>
      Effect.gen(function* () {
        const parts = yield* arrived(key, content)
        return yield* Effect.uninterruptible(
          Effect.gen(function* () {
            yield* beforeCommit
            if (kept.has(key)) return false
            set(key, parts)
            return true
          })
        )
      }),
    delete: (key) => Effect.sync(() => void kept.delete(key))
  }
  return { objects, asked, keys: () => [...kept.keys()].toSorted() }
}

const arrived = (key: string, { parts }: Content) =>
  Effect.map(
    Effect.forEach(parts, ({ bytes, content, path, sha256 }) =>
      Effect.gen(function* () {
        const chunks = yield* Stream.runCollect(content)
        const whole = Buffer.concat(Chunk.toReadonlyArray(chunks))
        const found = createHash("sha256").update(whole).digest("hex")
        const isRight =
          (bytes ?? whole.length) === whole.length && (sha256 === undefined || sha256 === found)
        if (isRight) return [path, whole] as const
        const expected = `${bytes} bytes with the checksum ${sha256}`
        return yield* new BackupError({ reason: "Corrupt", subject: key, expected, found })
      })
    ),
    (all) => new Map(all)
  )
