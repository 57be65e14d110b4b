/**
 * A text from a file that somebody names: a regular one, of a size that such a file has, in UTF-8. A pipe
 * nobody writes to would be waited for without end, and a device is read without end.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import type { PlatformError } from "@effect/platform/Error"
import { Data, Effect, Either, Option } from "effect"

/** What was found in the place of one. */
class NoText extends Data.TaggedError("NoText")<{ readonly found: string }> {}

export const mostBytes = 256 * 1024

export const read = (path: string): Effect.Effect<string, NoText | PlatformError, FileSystem> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    // Where it cannot be looked at, reading it tells why.
    const info = yield* Effect.option(fs.stat(path))
    if (Option.isSome(info)) {
      const { size, type } = info.value
      if (type !== "File") return yield* new NoText({ found: kinds[type] ?? "no regular file" })
      if (size > mostBytes) return yield* new NoText({ found: `a file of ${size} bytes` })
    }
    const text = yield* fs.readFileString(path)
    if (!text.includes(replaced)) return text
    const bytes = yield* Effect.option(fs.readFile(path))
    const place = Option.flatMap(bytes, (all) => Option.fromNullable(placeOfOther(all)))
    if (Option.isNone(place)) return text
    const { column, line } = place.value
    return yield* new NoText({
      found: `bytes that are no UTF-8 at line ${line}, column ${column} (save the file as UTF-8)`
    })
  })

const kinds: Readonly<Record<string, string>> = {
  Directory: "a directory",
  FIFO: "a pipe",
  Socket: "a socket",
  CharacterDevice: "a device",
  BlockDevice: "a device"
}

const replaced = "\u{FFFD}"

/** Where the first byte is that starts no character; a file may have the sign for one itself. */
const placeOfOther = (bytes: Uint8Array) => {
  const isText = (end: number, stream: boolean) =>
    Either.isRight(
      Either.try(() =>
        new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, end), { stream })
      )
    )
  if (isText(bytes.length, false)) return undefined
  let [good, bad] = [0, bytes.length]
  while (bad - good > 1) {
    const middle = Math.floor((good + bad) / 2)
    if (isText(middle, true)) good = middle
    else bad = middle
  }
  const lines = new TextDecoder().decode(bytes.subarray(0, good)).split("\n")
  return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
}
