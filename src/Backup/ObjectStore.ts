/**
 * A place that keeps objects by their names: all that a directory, a bucket or a layer that encrypts has to
 * be able to do. What makes backups of objects (the lock, manifests, the order in which they are published,
 * sweeping, retention) is written once above it, in `Store`.
 *
 * An object is a run of bytes, or several under paths of its own (a dump that is a directory). It gets its
 * name at once or not at all: who lists or reads sees no half of one.
 */
import { Chunk, Effect, type Either, Option, type Scope, Stream } from "effect"
import { BackupError } from "./BackupError.js"
import * as SmallFile from "./SmallFile.js"

export interface ObjectStore {
  /** For messages: `directory`, `bucket`. */
  readonly kind: string
  /** For messages: `/var/backups/bot`. */
  readonly place: string
  /**
   * Asked before other calls. Fails where the place is not the one that was meant, or gives no answer: the
   * others may then wait for ever.
   */
  readonly describe: Effect.Effect<Description, BackupError>
  /** What there is of the keys that are wanted, also what is not finished. Of the others nothing is looked at. */
  readonly list: (wanted: Wanted) => Effect.Effect<ReadonlyArray<Entry>, BackupError>
  /** None where nothing has the key; fails where what has it cannot be an object. Nothing is read before its content is. */
  readonly get: (key: string) => Effect.Effect<Option.Option<Found>, BackupError, Scope.Scope>
  /**
   * Gives a small object another text, where it reads `over` by now. False, and nothing is made, where it is gone
   * or reads otherwise.
   */
  readonly put: (key: string, text: string, over: string) => Effect.Effect<boolean, BackupError>
  /**
   * A new object: it counts when its content has been read back. False where the key is taken. What is left of
   * one that fails is gone; what is left of a process that was killed is listed under a name of
   * `Unfinished.nextName`.
   */
  readonly putIfAbsent: (
    key: string,
    content: Content,
    options?: PutOptions
  ) => Effect.Effect<boolean, BackupError>
  /** It may be gone already. Nobody sees a half of it meanwhile. */
  readonly delete: (key: string) => Effect.Effect<void, BackupError>
}

export interface Description {
  /** Bytes that new objects may take, where that is known. Found out only when it is asked for. */
  readonly free: Effect.Effect<number | undefined, BackupError>
  /** What is wrong with the place and no reason not to use it: others may read it. */
  readonly warnings: ReadonlyArray<string>
}

export interface Wanted {
  readonly keys: (key: string) => boolean
  /** Of which of them the text is wanted, small ones. */
  readonly texts: (key: string) => boolean
}

/** An object as it was listed. */
export interface Entry {
  readonly key: string
  readonly bytes: number
  /** The sizes of its parts, where it has several. */
  readonly parts: ReadonlyMap<string, number> | undefined
  /** Another one after each change. */
  readonly version: string
  /** In milliseconds, by the clock of the store. */
  readonly modified: number
  /** Why it cannot be an object that works: a symbolic link, which is not followed. */
  readonly problem: string | undefined
  /** Where it was asked for, or why it cannot be read. */
  readonly text: Either.Either<string, BackupError> | undefined
}

/** What an object consists of. */
export interface Content {
  /** A single one whose path is empty, or several. */
  readonly parts: ReadonlyArray<Part>
  /** The whole of it, where it is small and at hand. */
  readonly text?: string | undefined
}

export interface Part {
  readonly path: string
  readonly bytes: number | undefined
  /** Where it is known, what was read back must have it, or the object gets no name. */
  readonly sha256: string | undefined
  readonly content: Stream.Stream<Uint8Array, BackupError>
}

/** An object that is there. */
export interface Found extends Content, Pick<Entry, "version" | "problem"> {
  /** Where it lies on a local disk as it is, for whoever needs a file. */
  readonly file: string | undefined
}

export interface PutOptions {
  /** The same content on a local disk. It is not needed there any more: a store may move it into its place. */
  readonly staged?: Staged | undefined
  /**
   * Run when all has arrived and was read back, right before the object gets its name, and not interrupted from
   * there to the end. Where it fails, nothing gets the name.
   */
  readonly beforeCommit?: Effect.Effect<void, BackupError> | undefined
  /** Called again and again while the content is read back: a sign that the store answers. */
  readonly onAlive?: Effect.Effect<void> | undefined
}

export interface Staged {
  /** A file, or a directory with the parts. */
  readonly path: string
  /** It was read back from that disk a moment ago. */
  readonly isReadBack: boolean
}

/** A small object. */
export const ofText = (text: string): Content => ({
  text,
  parts: [
    {
      path: "",
      bytes: undefined,
      sha256: undefined,
      content: Stream.succeed(new TextEncoder().encode(text))
    }
  ]
})

/** The text of a small object; none where there is no such object. */
export const textOf = (
  store: Pick<ObjectStore, "get" | "place">,
  key: string
): Effect.Effect<Option.Option<string>, BackupError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const found = yield* store.get(key)
      if (Option.isNone(found)) return Option.none()
      const { parts, problem } = found.value
      const [part, ...others] = parts
      const isSmall = (part?.bytes ?? 0) <= SmallFile.largest
      if (problem !== undefined || part === undefined || others.length > 0 || !isSmall) {
        return yield* unreadable(`${store.place}/${key}`, problem)
      }
      const chunks = yield* Stream.runCollect(part.content)
      return Option.some(Buffer.concat(Chunk.toReadonlyArray(chunks)).toString("utf8"))
    })
  )

const unreadable = (subject: string, problem: string | undefined): BackupError =>
  new BackupError({
    reason: "StoreFailed",
    subject,
    expected: `a file of at most ${SmallFile.largest / 1024 / 1024} MB`,
    found: problem ?? "several, or a longer one",
    advice: "Look at it, and remove it"
  })
