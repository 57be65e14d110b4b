/**
 * One run at a time for each directory of backups.
 *
 * A lock is a file that names its owner, so that a lock whose owner is dead is taken over. Nothing
 * can remove a file only if it is still the one that was judged, so a takeover claims the next
 * number instead (`.holter-lock-2` after `.holter-lock-1`), which one process gets, then looks
 * again, and gives way if anybody else has come in between.
 *
 * @since 0.1.0
 */
import { Clock, DateTime, Effect, Either, Option, Schedule, Schema, type Scope } from "effect"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { BackupError } from "./BackupError.js"
import * as Owner from "./BackupLock/Owner.js"
import * as LocalFiles from "./LocalFiles.js"

/**
 * How old the last sign of life of an owner may be that cannot be asked, as one of another machine.
 *
 * @since 0.1.0
 * @category constants
 */
export const patience = "2 minutes"

/**
 * @since 0.1.0
 * @category models
 */
export interface Held {
  /** Fails with `Locked` if another run took the lock over, thinking that this one was dead. */
  readonly check: Effect.Effect<void, BackupError>
}

/**
 * Takes the lock of a directory for as long as the scope is open. Fails with `Locked` at once where
 * another run has it.
 *
 * @since 0.1.0
 * @category constructors
 */
export const acquire = (
  directory: string,
  purpose: string
): Effect.Effect<Held, BackupError, Scope.Scope> =>
  Effect.gen(function* () {
    const me = yield* Owner.self
    const id = yield* Owner.unique
    const now = yield* DateTime.now
    const claim = { id, owner: me, purpose, since: now }
    const file = yield* Effect.acquireRelease(compete(directory, claim, rounds), (held) =>
      Effect.ignore(Effect.whenEffect(LocalFiles.remove(held), isOurs(held, id)))
    )
    yield* Effect.forkScoped(Effect.repeat(beat(file), Schedule.spaced("15 seconds")))
    const check = Effect.flatMap(isOurs(file, id), (ours) =>
      ours
        ? Effect.void
        : new BackupError({
            reason: "Locked",
            subject: directory,
            expected: "the lock of this run",
            found: `that another run has taken it over, as this one gave no sign of life for ${patience}`,
            advice: "Run it again"
          })
    )
    return { check }
  })

const Claim = Schema.Struct({
  id: Schema.String,
  owner: Owner.Owner,
  purpose: Schema.String,
  since: Schema.DateTimeUtc
})
type Claim = typeof Claim.Type
const Json = Schema.parseJson(Claim)
const encode = Schema.encodeSync(Json)
const decode = Schema.decodeEither(Json)

/** Two runs that meet give way to each other: then both try again. */
const rounds = 20

const compete = (
  directory: string,
  claim: Claim,
  left: number
): Effect.Effect<string, BackupError> =>
  Effect.gen(function* () {
    const before = yield* locksIn(directory)
    for (const lock of before) if (!(yield* isStale(lock, claim.owner))) return yield* locked(lock)
    const number = Math.max(0, ...before.map((lock) => lock.number)) + 1
    const file = path.join(directory, `${prefix}${number}`)
    if (yield* create(file, claim)) {
      const known = new Set([claim.id, ...before.map(({ id }) => id)])
      if ((yield* locksIn(directory)).every(({ id }) => known.has(id))) {
        for (const stale of before) yield* LocalFiles.remove(stale.file)
        return file
      }
      yield* LocalFiles.remove(file)
    }
    if (left > 1) {
      yield* Effect.yieldNow()
      return yield* compete(directory, claim, left - 1)
    }
    return yield* new BackupError({
      reason: "Locked",
      subject: directory,
      expected: "no other run on it",
      found: "several that start at this moment",
      advice: "Run it again"
    })
  })

/** A lock as it was found. A file that cannot be read is one whose owner cannot be asked. */
interface Lock {
  readonly file: string
  readonly number: number
  readonly id: string
  readonly claim: Option.Option<Claim>
  readonly touchedAt: number
}

const prefix = ".holter-lock-"

const locksIn = (directory: string): Effect.Effect<ReadonlyArray<Lock>, BackupError> =>
  Effect.gen(function* () {
    const locks: Array<Lock> = []
    for (const name of yield* LocalFiles.names(directory)) {
      const number = /^\.holter-lock-([1-9]\d{0,8})$/.exec(name)?.[1]
      if (number === undefined) continue
      const file = path.join(directory, name)
      const stat = yield* LocalFiles.look(file)
      const text = yield* LocalFiles.text(file)
      // Released in between.
      if (Option.isNone(stat) || Option.isNone(text)) continue
      const claim = Either.getRight(decode(text.value))
      const id = Option.match(claim, { onNone: () => text.value, onSome: (known) => known.id })
      const touchedAt = Number(stat.value.mtimeMs)
      locks.push({ file, number: Number(number), id, claim, touchedAt })
    }
    return locks
  })

const isStale = (lock: Lock, me: Owner.Owner): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    const state = Option.isSome(lock.claim)
      ? yield* Owner.stateOf(lock.claim.value.owner, me)
      : "unknown"
    if (state !== "unknown") return state === "dead"
    const silence = (yield* Clock.currentTimeMillis) - lock.touchedAt
    return silence > patienceMillis
  })

const patienceMillis = 120_000

/** With all of its content at once, where the file system has hard links. */
const create = (file: string, claim: Claim): Effect.Effect<boolean, BackupError> => {
  const draft = path.join(path.dirname(file), `.partial-${Owner.format(claim.owner)}-${claim.id}`)
  const text = `${encode(claim)}\n`
  return Effect.acquireUseRelease(
    LocalFiles.write(draft, text),
    () =>
      LocalFiles.claim(draft, file).pipe(
        Effect.catchIf(LocalFiles.isWithoutLinks, () =>
          LocalFiles.write(file, text).pipe(
            Effect.as(true),
            Effect.catchIf(
              (error) => LocalFiles.codeOf(error.cause) === "EEXIST",
              () => Effect.succeed(false)
            )
          )
        ),
        Effect.tap((ours) => (ours ? beat(file) : Effect.void))
      ),
    () => Effect.ignore(LocalFiles.remove(draft))
  )
}

/** A sign of life, by this process's clock. */
const beat = (file: string): Effect.Effect<void> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.ignore(
      LocalFiles.attempt(file, "the lock", () => fs.utimes(file, now / 1000, now / 1000))
    )
  )

const isOurs = (file: string, id: string): Effect.Effect<boolean, BackupError> =>
  Effect.map(LocalFiles.text(file), (text) =>
    Option.exists(
      Option.flatMap(text, (found) => Either.getRight(decode(found))),
      (claim) => claim.id === id
    )
  )

const locked = ({ claim, file }: Lock): BackupError => {
  const subject = path.dirname(file)
  const expected = "no other run on it"
  if (Option.isNone(claim)) {
    const found = `the lock ${path.basename(file)}, which does not tell its owner`
    return new BackupError({ reason: "Locked", subject, expected, found, advice: waitOrRemove })
  }
  const { owner, purpose, since } = claim.value
  return new BackupError({
    reason: "Locked",
    subject,
    expected,
    found: `one to ${purpose} by process ${owner.pid} on ${owner.host}, since ${DateTime.formatIso(since)}`,
    advice: `Wait until it ends, or end process ${owner.pid} on ${owner.host}`
  })
}

const waitOrRemove = `Wait ${patience}, after which it is taken over`
