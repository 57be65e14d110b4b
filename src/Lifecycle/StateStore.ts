/**
 * What a program must know again after a restart, in one file: typed, versioned, and whole whatever
 * moment the process or the machine ends at.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Clock, DateTime, Effect, Either, Option, ParseResult, Schema, type Scope } from "effect"
import { Lifecycle } from "./Lifecycle.js"
import type { PlanError } from "./PlanError.js"
import * as StateFile from "./StateStore/StateFile.js"
import { StateStoreError } from "./StateStoreError.js"

export { StateStoreError } from "./StateStoreError.js"

export interface Options<A, I> {
  readonly file: string
  readonly schema: Schema.Schema<A, I>
  /** Raised by one whenever the schema changes its encoded form. */
  readonly version: number
  /**
   * Makes the encoded state of this version out of one of an older version. Without it an older
   * file is set aside.
   */
  readonly upgrade?: (state: unknown, version: number) => Either.Either<unknown, string>
}

export interface StateStore<A> {
  readonly file: string
  /**
   * The state that was saved last, or none. A file that makes no sense is set aside under another
   * name, and an error is logged; that of a newer version is left, and is a failure.
   */
  readonly loadState: Effect.Effect<Option.Option<A>, StateStoreError>
  /** Whether it was written: a state that is in the file already is not written again. */
  readonly saveState: (state: A) => Effect.Effect<boolean, StateStoreError>
}

/**
 * @example
 * import { Schema } from "effect"
 * import { StateStore } from "holter"
 *
 * const store = StateStore.make({
 *   file: "data/bot.json",
 *   version: 1,
 *   schema: Schema.Struct({ lastUpdate: Schema.Number })
 * })
 */
export const make = <A, I>(
  options: Options<A, I>
): Effect.Effect<StateStore<A>, never, FileSystem | Path> =>
  Effect.gen(function* () {
    const fs = yield* FileSystem
    const path = yield* Path
    const one = yield* Effect.makeSemaphore(1)
    const file = StateFile.make(options.file, fs, path)
    /** What the file holds, once somebody looked: nothing is written over what was not read. */
    let known: Option.Option<string> | undefined

    const load = Effect.gen(function* () {
      const text = yield* file.read
      if (Option.isNone(text)) {
        known = Option.none()
        return Option.none<A>()
      }
      const found = decode(options, text.value)
      if (Either.isRight(found)) {
        known = Option.some(found.right.encoded)
        return Option.some(found.right.state)
      }
      if (found.left._tag === "Newer") {
        return yield* new StateStoreError({
          reason: "Newer",
          file: options.file,
          found: `version ${found.left.version}, and this program knows version ${options.version}`
        })
      }
      const aside = yield* file.setAside
      known = Option.none()
      yield* Effect.logError(
        `The state in ${options.file} is of no use (${found.left.problem}): it was set aside as ${aside}, and the program begins without it`
      )
      return Option.none<A>()
    })

    const save = (state: A) =>
      Effect.gen(function* () {
        if (known === undefined) yield* load
        const encoded = yield* encode(options, state)
        if (known !== undefined && Option.contains(known, encoded)) return false
        const savedAt = DateTime.formatIso(DateTime.unsafeMake(yield* Clock.currentTimeMillis))
        yield* file.write(
          `{"version":${options.version},"saved_at":"${savedAt}","state":${encoded}}\n`
        )
        known = Option.some(encoded)
        return true
      })

    return {
      file: options.file,
      loadState: one.withPermits(1)(load),
      saveState: (state) => one.withPermits(1)(save(state))
    }
  })

/**
 * Saves the state in the phase `state`, and once more at the end of `cancel` when it changed
 * meanwhile.
 */
export const saveOnShutdown = <A, E>(
  store: StateStore<A>,
  current: Effect.Effect<A, E>
): Effect.Effect<void, PlanError, Lifecycle | Scope.Scope> =>
  Effect.gen(function* () {
    const { note, on } = yield* Lifecycle
    const save = Effect.flatMap(Effect.flatMap(current, store.saveState), (written) =>
      note(written ? `saved to ${store.file}` : `${store.file} is up to date`)
    )
    yield* on("state", "save state", save)
    yield* on("cancel", "save state again", save)
  })

type Unusable =
  | { readonly _tag: "Newer"; readonly version: number }
  | { readonly _tag: "Corrupt"; readonly problem: string }

interface Found<A> {
  readonly state: A
  /** As it stands in the file. Of an older version: nothing that would be written. */
  readonly encoded: string
}

const Envelope = Schema.parseJson(
  Schema.Struct({ version: Schema.Int, saved_at: Schema.String, state: Schema.Unknown })
)

const corrupt = (problem: string): Unusable => ({ _tag: "Corrupt", problem })

const decode = <A, I>(
  { schema, upgrade, version }: Options<A, I>,
  text: string
): Either.Either<Found<A>, Unusable> =>
  Either.gen(function* () {
    const envelope = yield* Schema.decodeEither(Envelope)(text).pipe(
      // Never what was found there: a state may hold what no log should.
      Either.mapLeft(() => corrupt("it is no state file, or only a part of one"))
    )
    if (envelope.version > version) {
      return yield* Either.left<Unusable>({ _tag: "Newer", version: envelope.version })
    }
    const isOlder = envelope.version < version
    if (isOlder && upgrade === undefined) {
      return yield* Either.left(
        corrupt(
          `it is of version ${envelope.version}, from which there is no upgrade to ${version}`
        )
      )
    }
    const current =
      isOlder && upgrade !== undefined
        ? yield* Either.mapLeft(upgrade(envelope.state, envelope.version), corrupt)
        : envelope.state
    const state = yield* Schema.decodeUnknownEither(schema)(current).pipe(
      Either.mapLeft((error) => corrupt(`it does not fit the schema at ${pathsOf(error)}`))
    )
    return { state, encoded: isOlder ? "" : JSON.stringify(envelope.state) }
  })

const encode = <A, I>(
  { file, schema }: Options<A, I>,
  state: A
): Effect.Effect<string, StateStoreError> =>
  Schema.encode(schema)(state).pipe(
    Effect.map((encoded) => JSON.stringify(encoded)),
    Effect.mapError(
      (error) =>
        new StateStoreError({
          reason: "Invalid",
          file,
          found: `it does not fit the schema at ${pathsOf(error)}`
        })
    )
  )

/** Where, and not what: the message of a schema shows the values. */
const pathsOf = (error: ParseResult.ParseError): string =>
  ParseResult.ArrayFormatter.formatErrorSync(error)
    .map(({ path }) => (path.length === 0 ? "its root" : path.join(".")))
    .join(", ")
