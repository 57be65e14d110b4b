/**
 * One run at a time for each directory of backups.
 *
 * A lock is a file that names its owner, so that a lock whose owner is dead is taken over. Nothing
 * can remove a file only if it is still the one that was judged, so a takeover claims the next
 * number instead (`.holter-lock-2` after `.holter-lock-1`), which one process gets, then looks
 * again, and gives way if anybody else has come in between.
 *
 * An owner on another machine or in another container cannot be asked. It makes its lock longer every
 * 15 seconds, and who finds such a lock watches it: by its own clock and by nobody else's, since the
 * clocks of two machines need not agree.
 */
import {
  Clock,
  Data,
  DateTime,
  Duration,
  Effect,
  Either,
  Option,
  Schedule,
  Schema,
  type Scope
} from "effect"
import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { BackupError } from "./BackupError.js"
import * as ProcessIdentity from "../System/ProcessIdentity.js"
import * as LocalFiles from "./LocalFiles.js"
import { codeOf } from "../Common/Errors.js"

export interface Held {
  /** Fails with `Locked` if another run took the lock over, thinking that this one was dead. */
  readonly check: Effect.Effect<void, BackupError>
}

export interface Waiting {
  /** How long to wait for another run to end; not at all by default. */
  readonly wait?: Duration.DurationInput | undefined
  /** Called again and again while it is waited, with what is waited for. */
  readonly onWait?: ((found: string) => Effect.Effect<void>) | undefined
}

/**
 * Takes the lock of a directory for as long as the scope is open. Fails with `Locked` where another
 * run has it for longer than is waited. A restore is not waited for: it may wait for an answer itself.
 */
export const acquire = (
  directory: string,
  purpose: string,
  waiting: Waiting = {}
): Effect.Effect<Held, BackupError, Scope.Scope> =>
  Effect.gen(function* () {
    const me = yield* ProcessIdentity.self
    const id = yield* ProcessIdentity.unique
    const now = yield* DateTime.now
    const claim = { id, owner: me, purpose, since: now }
    const file = yield* Effect.acquireRelease(
      patient(compete(directory, claim, rounds, new Set()), waiting),
      (held) => Effect.ignore(Effect.whenEffect(LocalFiles.remove(held), isOurs(held, id)))
    )
    yield* Effect.forkScoped(Effect.schedule(beat(file, id), Schedule.spaced("15 seconds")))
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

/** The purpose of a restore, which is not waited for. @internal */
export const restoring = "restore a backup"

/** Another run has the lock, or takes it at this moment. */
class Blocked extends Data.TaggedError("Blocked")<{
  readonly error: BackupError
  readonly isShort: boolean
}> {}

/** Tries again for as long as is waited. */
const patient = <A>(
  attempt: Effect.Effect<A, BackupError | Blocked>,
  { onWait = () => Effect.void, wait = 0 }: Waiting
): Effect.Effect<A, BackupError> =>
  Effect.gen(function* () {
    const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(wait)
    const next: Effect.Effect<A, BackupError> = Effect.catchTag(attempt, "Blocked", (blocked) =>
      Effect.gen(function* () {
        const left = until - (yield* Clock.currentTimeMillis)
        if (!blocked.isShort || left <= 0) return yield* blocked.error
        yield* onWait(blocked.error.found)
        yield* Effect.sleep(Duration.millis(Math.min(left, pollMillis)))
        return yield* next
      })
    )
    return yield* next
  })

const pollMillis = 2000

const Claim = Schema.Struct({
  id: Schema.String,
  owner: ProcessIdentity.ProcessIdentity,
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
  left: number,
  /** The texts of locks that were seen to give no sign of life. */
  quiet: Set<string>
): Effect.Effect<string, BackupError | Blocked> =>
  Effect.gen(function* () {
    const before = yield* locksIn(directory)
    for (const lock of before) {
      if (!(yield* isStale(lock, claim.owner, quiet))) {
        const isShort = !Option.exists(lock.claim, (held) => held.purpose === restoring)
        return yield* new Blocked({ error: locked(lock), isShort })
      }
    }
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
      return yield* compete(directory, claim, left - 1, quiet)
    }
    const error = new BackupError({
      reason: "Locked",
      subject: directory,
      expected: "no other run on it",
      found: "several that start at this moment",
      advice: "Run it again"
    })
    return yield* new Blocked({ error, isShort: true })
  })

/** A lock as it was found. A file that cannot be read is one whose owner cannot be asked. */
interface Lock {
  readonly file: string
  readonly number: number
  readonly id: string
  readonly claim: Option.Option<Claim>
  readonly text: string
}

const prefix = ".holter-lock-"

const locksIn = (directory: string): Effect.Effect<ReadonlyArray<Lock>, BackupError> =>
  Effect.gen(function* () {
    const locks: Array<Lock> = []
    for (const name of yield* LocalFiles.names(directory)) {
      const number = /^\.holter-lock-([1-9]\d{0,8})$/.exec(name)?.[1]
      if (number === undefined) continue
      const file = path.join(directory, name)
      const found = yield* LocalFiles.text(file)
      // Released in between.
      if (Option.isNone(found)) continue
      const text = found.value
      const claim = Either.getRight(decode(text))
      const id = Option.match(claim, { onNone: () => text, onSome: (known) => known.id })
      locks.push({ file, number: Number(number), id, claim, text })
    }
    return locks
  })

const isStale = (
  lock: Lock,
  me: ProcessIdentity.ProcessIdentity,
  quiet: Set<string>
): Effect.Effect<boolean, BackupError> =>
  Effect.gen(function* () {
    const state = Option.isSome(lock.claim)
      ? yield* ProcessIdentity.stateOf(lock.claim.value.owner, me)
      : "unknown"
    if (state !== "unknown") return state === "dead"
    if (quiet.has(lock.text)) return true
    yield* Effect.logInfo(`Waiting for a sign of life of ${ownerOf(lock)}, up to ${patience}`)
    const isQuiet = yield* watch(lock, Duration.toSeconds(patience))
    if (isQuiet) quiet.add(lock.text)
    return isQuiet
  })

/** Whether nothing happens to a lock for so many seconds. One that is released is no sign of life. */
const watch = (lock: Lock, seconds: number): Effect.Effect<boolean, BackupError> =>
  Effect.gen(function* () {
    const text = yield* LocalFiles.text(lock.file)
    if (Option.isNone(text)) return true
    if (text.value !== lock.text) return false
    if (seconds <= 0) return true
    yield* Effect.sleep(Duration.seconds(lookSeconds))
    return yield* watch(lock, seconds - lookSeconds)
  })

const lookSeconds = 5

/** How long an owner that cannot be asked may give no sign of life. */
const patience = "2 minutes"

/** With all of its content at once, where the file system has hard links. */
const create = (file: string, claim: Claim): Effect.Effect<boolean, BackupError> => {
  const draft = path.join(
    path.dirname(file),
    `.partial-${ProcessIdentity.format(claim.owner)}-${claim.id}`
  )
  const text = `${encode(claim)}\n`
  return Effect.acquireUseRelease(
    LocalFiles.write(draft, text),
    () =>
      LocalFiles.claim(draft, file).pipe(
        Effect.catchIf(LocalFiles.isWithoutLinks, () =>
          LocalFiles.write(file, text).pipe(
            Effect.as(true),
            Effect.catchIf(
              (error) => codeOf(error.cause) === "EEXIST",
              () => Effect.succeed(false)
            )
          )
        )
      ),
    () => Effect.ignore(LocalFiles.remove(draft))
  )
}

/** A sign of life: a blank line more, which reads as the same claim. Never makes a file anew. */
const beat = (file: string, id: string): Effect.Effect<void> =>
  LocalFiles.attempt(file, "the lock", async () => {
    const handle = await fs.open(file, constants.O_WRONLY | constants.O_APPEND)
    await handle
      .write("\n")
      .then(() => handle.sync())
      .finally(() => handle.close())
  }).pipe(Effect.whenEffect(isOurs(file, id)), Effect.ignore)

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

const waitOrRemove = `Run it again: it is taken over once it was quiet for ${patience}`

const ownerOf = ({ claim, file }: Lock): string =>
  Option.match(claim, {
    onNone: () => `the lock ${file}, which does not tell its owner`,
    onSome: ({ owner, purpose }) =>
      `process ${owner.pid} on ${owner.host}, which has locked ${path.dirname(file)} to ${purpose}`
  })
