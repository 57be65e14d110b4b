/**
 * A file that is always whole: written beside, synced, renamed, and the folder synced, since a
 * rename that is only in memory is lost with the machine.
 *
 * @internal
 */
import type { PlatformError } from "@effect/platform/Error"
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { Clock, Effect, Option } from "effect"
import { StateStoreError } from "../StateStoreError.js"

export interface StateFile {
  /** None: there is no file. */
  readonly read: Effect.Effect<Option.Option<string>, StateStoreError>
  readonly write: (text: string) => Effect.Effect<void, StateStoreError>
  /** Gives the file another name, which is returned. */
  readonly setAside: Effect.Effect<string, StateStoreError>
}

export const make = (file: string, fs: FileSystem, path: Path): StateFile => {
  const folder = path.dirname(file)
  const fail = (reason: "Unreadable" | "Unwritable") => (cause: PlatformError) =>
    new StateStoreError({ reason, file, found: foundBy(cause), cause })

  const sync = (target: string) =>
    Effect.scoped(Effect.flatMap(fs.open(target, { flag: "r" }), (opened) => opened.sync))

  const write = (text: string) =>
    Effect.gen(function* () {
      yield* fs.makeDirectory(folder, { recursive: true })
      const beside = `${file}.tmp`
      // State may hold what others should not read.
      yield* fs.remove(beside, { force: true })
      yield* Effect.scoped(
        Effect.gen(function* () {
          const opened = yield* fs.open(beside, { flag: "wx", mode: 0o600 })
          yield* opened.writeAll(new TextEncoder().encode(text))
          yield* opened.sync
        })
      )
      yield* fs.rename(beside, file)
      yield* sync(folder)
    })

  return {
    read: fs.readFileString(file).pipe(
      Effect.asSome,
      Effect.catchIf(isMissing, () => Effect.succeedNone),
      Effect.mapError(fail("Unreadable"))
    ),
    write: (text) => Effect.mapError(write(text), fail("Unwritable")),
    setAside: Effect.gen(function* () {
      const aside = yield* freeName(`${file}.corrupt-${yield* Clock.currentTimeMillis}`, fs)
      yield* fs.rename(file, aside)
      yield* sync(folder)
      return aside
    }).pipe(Effect.mapError(fail("Unwritable")))
  }
}

const freeName = (
  name: string,
  fs: FileSystem,
  attempt = 0
): Effect.Effect<string, PlatformError> => {
  const candidate = attempt === 0 ? name : `${name}-${attempt}`
  return Effect.flatMap(fs.exists(candidate), (taken) =>
    taken ? freeName(name, fs, attempt + 1) : Effect.succeed(candidate)
  )
}

const isMissing = (error: PlatformError): boolean =>
  error._tag === "SystemError" && error.reason === "NotFound"

const foundBy = (error: PlatformError): string =>
  error._tag === "SystemError" ? error.reason : "a bad argument"
