/**
 * One run at a time for each store of backups.
 *
 * A lock is an object that names its owner, so that a lock whose owner is dead is taken over. Nothing
 * can remove an object only if it is still the one that was judged, so a takeover claims the next
 * number instead (`.holter-lock-2` after `.holter-lock-1`), which one process gets, then looks
 * again, and gives way if anybody else has come in between. As a rule the first number is free, and that
 * look is the only list of the store that a run needs: what else is wanted comes with it.
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
import { BackupError } from "./BackupError.js"
import * as ProcessIdentity from "../System/ProcessIdentity.js"
import * as ObjectStore from "./ObjectStore.js"

export interface Held {
  /** Fails with `Locked` if another run took the lock over, thinking that this one was dead. */
  readonly check: Effect.Effect<void, BackupError>
  /** What was wanted, as it was listed when the lock was taken. */
  readonly entries: ReadonlyArray<ObjectStore.Entry>
}

export interface Waiting {
  /** How long to wait for another run to end; not at all by default. */
  readonly wait?: Duration.DurationInput | undefined
  /** Called again and again while it is waited, with what is waited for. */
  readonly onWait?: ((found: string) => Effect.Effect<void>) | undefined
}

export interface Options extends Waiting {
  /** What is listed when the lock is taken. */
  readonly wanted?: ObjectStore.Wanted | undefined
}

/**
 * Takes the lock of a store for as long as the scope is open. Fails with `Locked` where another
 * run has it for longer than is waited. A restore is not waited for: it may wait for an answer itself.
 */
export const acquire = (
  objects: ObjectStore.ObjectStore,
  purpose: string,
  options: Options = {}
): Effect.Effect<Held, BackupError, Scope.Scope> =>
  Effect.gen(function* () {
    const me = yield* ProcessIdentity.self
    const id = yield* ProcessIdentity.unique
    const now = yield* DateTime.now
    const claim = { id, owner: me, purpose, since: now }
    const run = { objects, claim, wanted: options.wanted ?? nothing, quiet: new Set<string>() }
    const { entries, key } = yield* Effect.acquireRelease(
      patient(
        compete(run, []),
        Effect.flatMap(stale(run), (before) => compete(run, before)),
        options
      ),
      ({ key }) => Effect.ignore(Effect.whenEffect(objects.delete(key), isOurs(objects, key, id)))
    )
    yield* Effect.forkScoped(Effect.schedule(beat(objects, key, id), Schedule.spaced("15 seconds")))
    const check = Effect.flatMap(isOurs(objects, key, id), (ours) =>
      ours
        ? Effect.void
        : new BackupError({
            reason: "Locked",
            subject: objects.place,
            expected: "the lock of this run",
            found: `that another run has taken it over, as this one gave no sign of life for ${patience}`,
            advice: "Run it again"
          })
    )
    return { check, entries }
  })

const nothing: ObjectStore.Wanted = { keys: () => false, texts: () => false }

/** The purpose of a restore, which is not waited for. @internal */
export const restoring = "restore a backup"

/** Another run has the lock, or takes it at this moment. */
class Blocked extends Data.TaggedError("Blocked")<{
  readonly error: BackupError
  readonly isShort: boolean
}> {}

/** Tries again for as long as is waited. */
const patient = <A>(
  first: Effect.Effect<A, BackupError | Blocked>,
  again: Effect.Effect<A, BackupError | Blocked>,
  { onWait = () => Effect.void, wait = 0 }: Waiting
): Effect.Effect<A, BackupError> =>
  Effect.gen(function* () {
    const until = (yield* Clock.currentTimeMillis) + Duration.toMillis(wait)
    const next = (
      attempt: Effect.Effect<A, BackupError | Blocked>
    ): Effect.Effect<A, BackupError> =>
      Effect.catchTag(attempt, "Blocked", (blocked) =>
        Effect.gen(function* () {
          const left = until - (yield* Clock.currentTimeMillis)
          if (!blocked.isShort || left <= 0) return yield* blocked.error
          yield* onWait(blocked.error.found)
          yield* Effect.sleep(Duration.millis(Math.min(left, pollMillis)))
          return yield* next(again)
        })
      )
    return yield* next(first)
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

interface Run {
  readonly objects: ObjectStore.ObjectStore
  readonly claim: Claim
  readonly wanted: ObjectStore.Wanted
  /** The texts of locks that were seen to give no sign of life. */
  readonly quiet: Set<string>
}

/** A lock that was taken, and what was listed by then. */
interface Taken {
  readonly key: string
  readonly entries: ReadonlyArray<ObjectStore.Entry>
}

/** Two runs that meet give way to each other: then both try again. */
const rounds = 20

/** `before`: the locks that were there, all of owners that are dead. */
const compete = (
  run: Run,
  before: ReadonlyArray<Lock>,
  left = rounds
): Effect.Effect<Taken, BackupError | Blocked> =>
  Effect.gen(function* () {
    const { claim, objects } = run
    const key = `${prefix}${Math.max(0, ...before.map((lock) => lock.number)) + 1}`
    const text = ObjectStore.ofText(`${encode(claim)}\n`)
    if (yield* objects.putIfAbsent(key, text)) {
      const found = yield* alone(run, before).pipe(
        Effect.onError(() => Effect.ignore(objects.delete(key)))
      )
      if (found !== undefined) {
        for (const dead of found.others) yield* objects.delete(dead.key)
        return { key, entries: found.entries }
      }
      yield* objects.delete(key)
    }
    if (left > 0) {
      yield* Effect.yieldNow()
      return yield* compete(run, yield* stale(run), left - 1)
    }
    const error = new BackupError({
      reason: "Locked",
      subject: objects.place,
      expected: "no other run on it",
      found: "several that start at this moment",
      advice: "Run it again"
    })
    return yield* new Blocked({ error, isShort: true })
  })

/**
 * What is listed once the lock is made; undefined where another run has come in between. Whoever has made a lock
 * before this look is seen by it, and whoever makes one after it sees this one.
 */
const alone = (
  { claim, objects, wanted }: Run,
  before: ReadonlyArray<Lock>
): Effect.Effect<Alone | undefined, BackupError> =>
  Effect.gen(function* () {
    const listed = yield* objects.list({
      keys: (key) => isLock(key) || wanted.keys(key),
      texts: (key) => isLock(key) || wanted.texts(key)
    })
    const others = (yield* locksOf(listed)).filter(({ id }) => id !== claim.id)
    const known = new Set(before.map(({ id }) => id))
    for (const other of others) {
      // One that cannot be asked is to be watched first, and not from behind a lock.
      if (!known.has(other.id) && (yield* stateOf(other, claim.owner)) !== "dead") return undefined
    }
    return { others, entries: listed.filter(({ key }) => !isLock(key)) }
  })

interface Alone extends Pick<Taken, "entries"> {
  /** Of owners that are dead. */
  readonly others: ReadonlyArray<Lock>
}

/** The locks that are there, where all their owners are dead. */
const stale = (run: Run): Effect.Effect<ReadonlyArray<Lock>, BackupError | Blocked> =>
  Effect.gen(function* () {
    const { objects } = run
    const locks = yield* locksOf(yield* objects.list({ keys: isLock, texts: isLock }))
    for (const lock of locks) {
      if (yield* isStale(run, lock)) continue
      const isShort = !Option.exists(lock.claim, (held) => held.purpose === restoring)
      return yield* new Blocked({ error: locked(objects, lock), isShort })
    }
    return locks
  })

/** A lock as it was found. One that cannot be read is one whose owner cannot be asked. */
interface Lock {
  readonly key: string
  readonly number: number
  readonly id: string
  readonly claim: Option.Option<Claim>
  readonly text: string
}

const prefix = ".holter-lock-"

const numberOf = (key: string): number | undefined => {
  const number = /^\.holter-lock-([1-9]\d{0,8})$/.exec(key)?.[1]
  return number === undefined ? undefined : Number(number)
}

/** @internal */
export const isLock = (key: string): boolean => numberOf(key) !== undefined

const locksOf = (
  entries: ReadonlyArray<ObjectStore.Entry>
): Effect.Effect<ReadonlyArray<Lock>, BackupError> =>
  Effect.gen(function* () {
    const locks: Array<Lock> = []
    for (const entry of entries) {
      const number = numberOf(entry.key)
      if (number === undefined || entry.text === undefined) continue
      const text = yield* entry.text
      const claim = Either.getRight(decode(text))
      const id = Option.match(claim, { onNone: () => text, onSome: (known) => known.id })
      locks.push({ key: entry.key, number, id, claim, text })
    }
    return locks
  })

const isStale = ({ claim, objects, quiet }: Run, lock: Lock): Effect.Effect<boolean, BackupError> =>
  Effect.gen(function* () {
    const state = yield* stateOf(lock, claim.owner)
    if (state !== "unknown") return state === "dead"
    if (quiet.has(lock.text)) return true
    const owner = ownerOf(objects, lock)
    yield* Effect.logInfo(`Waiting for a sign of life of ${owner}, up to ${patience}`)
    const isQuiet = yield* watch(objects, lock, Duration.toSeconds(patience))
    if (isQuiet) quiet.add(lock.text)
    return isQuiet
  })

const stateOf = (
  { claim }: Lock,
  me: ProcessIdentity.ProcessIdentity
): Effect.Effect<ProcessIdentity.State> =>
  Option.match(claim, {
    onNone: () => Effect.succeed("unknown"),
    onSome: ({ owner }) => ProcessIdentity.stateOf(owner, me)
  })

/** Whether nothing happens to a lock for so many seconds. One that is released is no sign of life. */
const watch = (
  objects: ObjectStore.ObjectStore,
  lock: Lock,
  seconds: number
): Effect.Effect<boolean, BackupError> =>
  Effect.gen(function* () {
    const text = yield* ObjectStore.textOf(objects, lock.key)
    if (Option.isNone(text)) return true
    if (text.value !== lock.text) return false
    if (seconds <= 0) return true
    yield* Effect.sleep(Duration.seconds(lookSeconds))
    return yield* watch(objects, lock, seconds - lookSeconds)
  })

const lookSeconds = 5

/** How long an owner that cannot be asked may give no sign of life. */
const patience = "2 minutes"

/** A sign of life: a blank line more, which reads as the same claim. Never makes a lock anew. */
const beat = (objects: ObjectStore.ObjectStore, key: string, id: string): Effect.Effect<void> =>
  Effect.gen(function* () {
    const text = yield* ObjectStore.textOf(objects, key)
    if (Option.isNone(text) || !isOf(text.value, id)) return
    yield* objects.put(key, `${text.value}\n`, text.value)
  }).pipe(Effect.ignore)

const isOurs = (
  objects: ObjectStore.ObjectStore,
  key: string,
  id: string
): Effect.Effect<boolean, BackupError> =>
  Effect.map(
    ObjectStore.textOf(objects, key),
    Option.exists((text) => isOf(text, id))
  )

const isOf = (text: string, id: string): boolean =>
  Option.exists(Either.getRight(decode(text)), (claim) => claim.id === id)

const locked = ({ place }: ObjectStore.ObjectStore, { claim, key }: Lock): BackupError => {
  const expected = "no other run on it"
  if (Option.isNone(claim)) {
    const found = `the lock ${key}, which does not tell its owner`
    return new BackupError({
      reason: "Locked",
      subject: place,
      expected,
      found,
      advice: waitOrRemove
    })
  }
  const { owner, purpose, since } = claim.value
  return new BackupError({
    reason: "Locked",
    subject: place,
    expected,
    found: `one to ${purpose} by process ${owner.pid} on ${owner.host}, since ${DateTime.formatIso(since)}`,
    advice: `Wait until it ends, or end process ${owner.pid} on ${owner.host}`
  })
}

const waitOrRemove = `Run it again: it is taken over once it was quiet for ${patience}`

const ownerOf = ({ place }: ObjectStore.ObjectStore, { claim, key }: Lock): string =>
  Option.match(claim, {
    onNone: () => `the lock ${place}/${key}, which does not tell its owner`,
    onSome: ({ owner, purpose }) =>
      `process ${owner.pid} on ${owner.host}, which has locked ${place} to ${purpose}`
  })
