/** The file of roles and tablespaces that lies beside a backup, and what its manifest says of it. */
import { Effect, Option } from "effect"
import { BackupError } from "./BackupError.js"
import * as LocalFiles from "./LocalFiles.js"
import type * as Manifest from "./Manifest.js"

/** @internal */
export const measure = (file: string): Effect.Effect<Manifest.Globals, BackupError> =>
  Effect.gen(function* () {
    const stat = yield* LocalFiles.look(file)
    const bytes = Option.match(stat, { onNone: () => 0, onSome: ({ size }) => Number(size) })
    return { bytes, sha256: yield* LocalFiles.sha256(file) }
  })

/**
 * Fails with `Corrupt` where what lies there is not what the manifest says. What is no file, or has another
 * size, is not read: it may have no end.
 *
 * @internal
 */
export const check = (
  file: string,
  globals: Manifest.Globals | undefined
): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    if (globals === undefined) return
    yield* look(file, globals)
    const found = yield* measure(file)
    if (found.sha256 === globals.sha256) return
    return yield* other(file, globals, `${found.bytes} bytes with the checksum ${found.sha256}`)
  })

const look = (file: string, globals: Manifest.Globals): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    const stat = yield* LocalFiles.look(file)
    if (Option.isNone(stat)) return yield* other(file, globals, "no such file")
    if (!stat.value.isFile()) return yield* other(file, globals, "a link, or what is no file")
    const bytes = Number(stat.value.size)
    if (bytes !== globals.bytes) return yield* other(file, globals, `${bytes} bytes`)
  })

/** What lies there is not what the manifest says. @internal */
export const other = (subject: string, globals: Manifest.Globals, found: string): BackupError =>
  new BackupError({
    reason: "Corrupt",
    subject,
    expected: `${globals.bytes} bytes with the checksum ${globals.sha256}`,
    found,
    advice: "The backup itself is not touched by that; make a new one with --globals"
  })
