/**
 * The file of roles and tablespaces that lies beside a backup, and what its manifest says of it.
 *
 * @since 0.1.0
 */
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

/** Fails with `Corrupt` where what lies there is not what the manifest says. @internal */
export const check = (
  file: string,
  globals: Manifest.Globals | undefined
): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    if (globals === undefined) return
    const found = Option.isSome(yield* LocalFiles.look(file)) ? yield* measure(file) : undefined
    if (found?.sha256 === globals.sha256) return
    return yield* new BackupError({
      reason: "Corrupt",
      subject: file,
      expected: `${globals.bytes} bytes with the checksum ${globals.sha256}`,
      found:
        found === undefined
          ? "no such file"
          : `${found.bytes} bytes with the checksum ${found.sha256}`,
      advice: "The backup itself is not touched by that; make a new one with --globals"
    })
  })
