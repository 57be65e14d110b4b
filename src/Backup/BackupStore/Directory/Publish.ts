/**
 * The way of a finished file into a directory of backups: at once or not at all, never over another.
 *
 * The manifest gets its name first. Killed in between, there is a manifest without a backup, which
 * nobody lists and the next run removes; the other way round there would be a backup of which
 * nothing is known, to be kept for ever.
 */
import { Effect, Either, Option } from "effect"
import * as path from "node:path"
import { BackupError } from "../../BackupError.js"
import * as GlobalsFile from "../../GlobalsFile.js"
import * as LocalFiles from "../../LocalFiles.js"
import * as Manifest from "../../Manifest.js"
import type { PublishOptions } from "../Store.js"

/** @internal */
export interface Place {
  readonly directory: string
  readonly partial: string
  /** Fails where the directory is another run's by now. */
  readonly guard: Effect.Effect<void, BackupError>
}

/** @internal */
export const publish = (
  { directory, guard, partial }: Place,
  manifest: Manifest.Manifest,
  { isReadBack = false, onAlive = Effect.void }: PublishOptions
): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    const file = path.join(directory, manifest.name)
    const isDirectory = yield* secured(partial)
    if (!isReadBack) {
      yield* readBack(partial, manifest, isDirectory, onAlive)
      yield* GlobalsFile.check(Manifest.globalsOf(partial), manifest.globals)
    }
    if (Option.isSome(yield* LocalFiles.look(file))) return yield* taken(file)
    const draft = `${partial}.manifest`
    yield* LocalFiles.write(draft, yield* textOf(manifest, file))
    // Right before the name is given: what came before may have taken long.
    yield* guard
    // From here on not to be interrupted: a few system calls.
    yield* Effect.uninterruptible(
      Effect.gen(function* () {
        const record = Manifest.fileOf(file)
        if (!(yield* moved(draft, record, false))) return yield* taken(record)
        const withdraw = Effect.ignore(withdrawn(file))
        const named = Effect.zipRight(
          manifest.globals === undefined
            ? Effect.void
            : LocalFiles.rename(Manifest.globalsOf(partial), Manifest.globalsOf(file)),
          moved(partial, file, isDirectory)
        )
        const isNamed = yield* Effect.onError(named, () => withdraw)
        if (!isNamed) return yield* Effect.zipRight(withdraw, taken(file))
        yield* LocalFiles.syncDirectory(directory)
      })
    )
  })

/** What belongs to a backup that is not there, the manifest last: it tells that the rest is Holter's. @internal */
export const withdrawn = (file: string): Effect.Effect<void, BackupError> =>
  Effect.zipRight(
    LocalFiles.remove(Manifest.globalsOf(file)),
    LocalFiles.remove(Manifest.fileOf(file))
  )

/** Writes a manifest in the place of the one that is there. @internal */
export const replaceManifest = (
  directory: string,
  partial: string,
  manifest: Manifest.Manifest
): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    const file = path.join(directory, manifest.name)
    const text = yield* LocalFiles.text(Manifest.fileOf(file))
    // What a newer Holter has added stays, and what was dumped is what it was.
    const before = Option.filterMap(text, (found) => Either.getRight(Manifest.fromJson(found)))
    const after = Option.match(before, {
      onNone: () => manifest,
      onSome: (known) => ({ ...known, ...manifest, dump: known.dump })
    })
    yield* LocalFiles.write(partial, yield* textOf(after, file))
    yield* LocalFiles.rename(partial, Manifest.fileOf(file))
    yield* LocalFiles.syncDirectory(directory)
  })

const textOf = (manifest: Manifest.Manifest, subject: string): Effect.Effect<string, BackupError> =>
  Either.match(Manifest.toJson(manifest), {
    onRight: Effect.succeed,
    onLeft: (found) =>
      Effect.fail(
        new BackupError({
          reason: "StoreFailed",
          subject,
          expected: "a record of the backup",
          found
        })
      )
  })

/** For this user alone, as far as the file system knows users, and on the disk. */
const secured = (partial: string): Effect.Effect<boolean, BackupError> =>
  Effect.gen(function* () {
    const stat = yield* LocalFiles.look(partial)
    if (Option.isNone(stat) || !(stat.value.isFile() || stat.value.isDirectory())) {
      return yield* new BackupError({
        reason: "Corrupt",
        subject: partial,
        expected: "a dump",
        found: Option.isNone(stat) ? "nothing" : "neither a file nor a directory"
      })
    }
    const isDirectory = stat.value.isDirectory()
    yield* Effect.ignore(LocalFiles.makePrivate(partial, isDirectory ? "directory" : "file"))
    yield* isDirectory ? LocalFiles.syncDirectory(partial) : LocalFiles.sync(partial)
    return isDirectory
  })

/** Size and checksum as the file system gives them back. */
const readBack = (
  partial: string,
  { dump, name }: Manifest.Manifest,
  isDirectory: boolean,
  onAlive: Effect.Effect<void>
): Effect.Effect<void, BackupError> =>
  Effect.gen(function* () {
    const parts = isDirectory
      ? yield* partsOf(partial, onAlive)
      : [yield* measured(partial, "", onAlive)]
    const bytes = parts.reduce((total, part) => total + part.bytes, 0)
    const sha256 = isDirectory
      ? yield* LocalFiles.sha256OfText(Manifest.listParts(parts))
      : (parts[0]?.sha256 ?? "")
    if (bytes > 0 && bytes === dump.bytes && sha256 === dump.sha256) return
    return yield* new BackupError({
      reason: "Corrupt",
      subject: name,
      expected: `${dump.bytes} bytes with the checksum ${dump.sha256}`,
      found: `${bytes} bytes with the checksum ${sha256} when read back`,
      advice: "Check the disk, and run it again"
    })
  })

const partsOf = (
  directory: string,
  onAlive: Effect.Effect<void>
): Effect.Effect<ReadonlyArray<Manifest.Part>, BackupError> =>
  Effect.flatMap(LocalFiles.filesBelow(directory), (files) =>
    Effect.forEach(files, (file) => measured(path.join(directory, file), file, onAlive))
  )

const measured = (
  file: string,
  name: string,
  onAlive: Effect.Effect<void>
): Effect.Effect<Manifest.Part, BackupError> =>
  Effect.gen(function* () {
    const stat = yield* LocalFiles.look(file)
    const bytes = Option.match(stat, { onNone: () => 0, onSome: ({ size }) => Number(size) })
    return { path: name, bytes, sha256: yield* LocalFiles.sha256(file, onAlive) }
  })

/** Never over what has the name; false where something has it. */
const moved = (
  from: string,
  to: string,
  isDirectory: boolean
): Effect.Effect<boolean, BackupError> => {
  // Under the lock only others than Holter make files here, so the look is good enough.
  const looked = Effect.gen(function* () {
    if (Option.isSome(yield* LocalFiles.look(to))) return false
    yield* LocalFiles.rename(from, to)
    return true
  })
  if (isDirectory) return looked
  return LocalFiles.claim(from, to).pipe(
    Effect.tap((ours) => (ours ? Effect.ignore(LocalFiles.remove(from)) : Effect.void)),
    Effect.catchIf(LocalFiles.isWithoutLinks, () => looked)
  )
}

const taken = (file: string): Effect.Effect<never, BackupError> =>
  Effect.fail(
    new BackupError({
      reason: "StoreFailed",
      subject: file,
      expected: "a name that is free",
      found: "a file, which is left alone",
      advice: "Run it again, or move that file"
    })
  )
