/** What lies at a path of a local disk, as an object: a file, or a directory with its files as the parts. */
import { Effect, Option } from "effect"
import type { BigIntStats } from "node:fs"
import * as path from "node:path"
import { BackupError } from "./BackupError.js"
import * as LocalFiles from "./LocalFiles.js"
import type { Content, Entry, Found } from "./ObjectStore.js"
import * as SmallFile from "./SmallFile.js"

/**
 * None where there is nothing. Links are not followed, and nothing is read. What is `flat` is not looked into where
 * it is a directory.
 *
 * @internal
 */
export const look = (
  file: string,
  { flat = false }: { readonly flat?: boolean } = {}
): Effect.Effect<Option.Option<Entry>, BackupError> =>
  Effect.gen(function* () {
    const stat = yield* LocalFiles.look(file)
    if (Option.isNone(stat)) return Option.none()
    const parts = stat.value.isDirectory() && !flat ? yield* sizesBelow(file) : undefined
    return Option.some({
      key: path.basename(file),
      bytes: parts === undefined ? Number(stat.value.size) : sum(parts.values()),
      parts,
      version: SmallFile.versionOf(stat.value),
      modified: Number(stat.value.mtimeMs),
      problem: kindOf(stat.value),
      text: undefined
    })
  })

/** The same with its content. @internal */
export const find = (file: string): Effect.Effect<Option.Option<Found>, BackupError> =>
  Effect.map(
    look(file),
    Option.map((entry) => {
      const { problem, version } = entry
      return { ...contentOf(file, entry), file, problem, version }
    })
  )

const contentOf = (file: string, { bytes, parts }: Pick<Entry, "bytes" | "parts">): Content => {
  const sizes: ReadonlyArray<readonly [string, number]> =
    parts === undefined ? [["", bytes]] : [...parts]
  return {
    parts: sizes.map(([part, size]) => ({
      path: part,
      bytes: size,
      sha256: undefined,
      content: LocalFiles.read(path.join(file, part), size)
    }))
  }
}

/** Whether an object is a single run of bytes. @internal */
export const isSingle = ({ parts }: Content): boolean => parts.length === 1 && parts[0]?.path === ""

/** Writes an object to a path where nothing is yet. @internal */
export const write = (file: string, content: Content): Effect.Effect<void, BackupError> =>
  Effect.forEach(
    content.parts,
    (part) =>
      Effect.gen(function* () {
        const target = path.join(file, part.path)
        if (path.relative(file, target).startsWith("..")) return yield* outside(file, part.path)
        if (!isSingle(content)) yield* LocalFiles.makeDirectory(path.dirname(target))
        yield* LocalFiles.writeAll(target, part.content)
      }),
    { discard: true }
  )

/** Who made the object may be somebody else. */
const outside = (file: string, part: string): BackupError =>
  new BackupError({
    reason: "Corrupt",
    subject: file,
    expected: "parts that lie in it",
    found: JSON.stringify(part),
    advice: "Use another backup"
  })

const kindOf = (stat: BigIntStats): string | undefined => {
  if (stat.isSymbolicLink()) return "a symbolic link, which is not followed"
  return stat.isFile() || stat.isDirectory() ? undefined : "neither a file nor a directory"
}

const sizesBelow = (directory: string): Effect.Effect<ReadonlyMap<string, number>, BackupError> =>
  Effect.gen(function* () {
    const sizes = new Map<string, number>()
    for (const part of yield* LocalFiles.filesBelow(directory)) {
      const stat = yield* LocalFiles.look(path.join(directory, part))
      if (Option.isSome(stat)) sizes.set(part, Number(stat.value.size))
    }
    return sizes
  })

const sum = (values: Iterable<number>): number =>
  [...values].reduce((total, value) => total + value, 0)
