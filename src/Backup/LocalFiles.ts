/**
 * The platform's edge of backups: what they need of a local file system and `FileSystem` does not
 * have (links that are not followed, free space, a directory brought to the disk), with errors that
 * say what to do.
 */
import { Effect, Option, Predicate, type Scope, Stream } from "effect"
import { createHash, type Hash } from "node:crypto"
import { type BigIntStats, constants } from "node:fs"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import * as DiskSpace from "../System/DiskSpace.js"
import { BackupError, type Reason } from "./BackupError.js"
import * as SmallFile from "./SmallFile.js"
import { codeOf, messageOf } from "../Common/Errors.js"

/** Calls Node's file system for `subject`, a path. @internal */
export const attempt = <A>(
  subject: string,
  expected: string,
  call: () => Promise<A>
): Effect.Effect<A, BackupError> =>
  Effect.tryPromise({ try: call, catch: (cause) => failure(subject, expected, cause) })

/** None where there is nothing; links are not followed. @internal */
export const look = (file: string): Effect.Effect<Option.Option<BigIntStats>, BackupError> =>
  attempt(file, "a file that can be looked at", () =>
    fs.lstat(file, { bigint: true }).then(Option.some, (cause: unknown) => {
      if (codeOf(cause) === "ENOENT") return Option.none()
      throw cause
    })
  )

/** The names in a directory; none where there is no such directory. @internal */
export const names = (directory: string): Effect.Effect<ReadonlyArray<string>, BackupError> =>
  attempt(directory, "a directory that can be read", () =>
    fs.readdir(directory).catch((cause: unknown) => {
      if (codeOf(cause) === "ENOENT") return []
      throw cause
    })
  )

/**
 * The text of a small file in a directory that others may write; none where there is no such file.
 * Neither a link nor a pipe nor a file without an end is read.
 *
 * @internal
 */
export const text = (file: string): Effect.Effect<Option.Option<string>, BackupError> =>
  Effect.flatMap(
    attempt(file, "a file that can be read", () =>
      textOf(file).catch((cause: unknown) => {
        if (codeOf(cause) === "ENOENT") return Option.none()
        throw cause
      })
    ),
    (found) =>
      Option.isSome(found) && found.value === undefined
        ? unreadable(file)
        : Effect.succeed(Option.filter(found, Predicate.isNotUndefined))
  )

/** Undefined in it for what is no file, or too long. */
const textOf = async (file: string): Promise<Option.Option<string | undefined>> => {
  const handle = await fs.open(file, SmallFile.reading)
  const read = async () => {
    const reading = SmallFile.begin(await handle.stat())
    for (let rest = reading?.rest(); rest !== undefined; rest = reading?.rest()) {
      reading?.take((await handle.read(rest)).bytesRead)
    }
    return reading?.text()
  }
  return Option.some(await read().finally(() => handle.close()))
}

const unreadable = (file: string): Effect.Effect<never, BackupError> =>
  new BackupError({
    reason: "StoreFailed",
    subject: file,
    expected: `a file of at most ${SmallFile.largest / 1024 / 1024} MB`,
    found: "no file, or a longer one",
    advice: "Look at it, and remove it"
  })

/** A new file for this user alone, on the disk when this succeeds. @internal */
export const write = (file: string, content: string): Effect.Effect<void, BackupError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const handle = yield* open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL)
      yield* attempt(file, "room for it", () => handle.writeFile(content)).pipe(
        Effect.zipRight(attempt(file, "a write that reaches the disk", () => handle.sync())),
        // It was made here: half of it is of no use to anybody.
        Effect.onError(() => Effect.ignore(remove(file)))
      )
    })
  )

/** Adds to the end of a file that is there; false where there is none. @internal */
export const append = (file: string, content: string): Effect.Effect<boolean, BackupError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const handle = yield* open(file, constants.O_WRONLY | constants.O_APPEND)
      yield* attempt(file, "room for it", () => handle.write(content))
      yield* attempt(file, "a write that reaches the disk", () => handle.sync())
      return true
    })
  ).pipe(
    Effect.catchIf(
      (error) => codeOf(error.cause) === "ENOENT",
      () => Effect.succeed(false)
    )
  )

/** Brings what was written to the disk. @internal */
export const sync = (file: string): Effect.Effect<void, BackupError> =>
  Effect.scoped(
    Effect.flatMap(open(file, constants.O_RDONLY), (handle) =>
      attempt(file, "a write that reaches the disk", () => handle.sync())
    )
  )

/** Brings what a directory lists to the disk, where its file system can. @internal */
export const syncDirectory = (directory: string): Effect.Effect<void, BackupError> =>
  attempt(directory, "a directory that reaches the disk", async () => {
    const handle = await fs.open(directory, constants.O_RDONLY)
    await handle
      .sync()
      .catch((cause: unknown) => {
        if (!["EINVAL", "ENOTSUP", "EISDIR"].includes(codeOf(cause) ?? "")) throw cause
      })
      .finally(() => handle.close())
  })

/** Gives a file a second name that was free. @internal */
export const claim = (file: string, name: string): Effect.Effect<boolean, BackupError> =>
  attempt(name, "a name that is free", () =>
    fs.link(file, name).then(
      () => true,
      (cause: unknown) => {
        if (codeOf(cause) === "EEXIST") return false
        throw cause
      }
    )
  )

/** Whether the file system knows no hard links: exFAT, some network file systems. @internal */
export const isWithoutLinks = (error: BackupError): boolean =>
  ["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK", "EINVAL"].includes(
    codeOf(error.cause) ?? ""
  )

/** @internal */
export const rename = (from: string, to: string): Effect.Effect<void, BackupError> =>
  attempt(to, `a place for ${path.basename(from)}`, () => fs.rename(from, to))

/**
 * A file, or a directory with all in it. It may be gone already. Whoever can write beside it may exchange a
 * directory for a link at any moment, so each is held while it is emptied, and none is followed.
 *
 * @internal
 */
export const remove = (file: string): Effect.Effect<void, BackupError> =>
  attempt(file, "a file that can be removed", () => removeTree(file))

/** What somebody else removes meanwhile, as another run that sweeps, is gone as well. */
const removeTree = (file: string): Promise<void> =>
  fs
    .unlink(file)
    .catch((refusal: unknown) => removeDirectory(file, refusal))
    .catch((cause: unknown) => {
      if (codeOf(cause) !== "ENOENT") throw cause
    })

const removeDirectory = async (file: string, refusal: unknown): Promise<void> => {
  const code = codeOf(refusal)
  // On some systems a directory is not permitted to be unlinked, and so is a file that must not change.
  const isDirectory =
    code === "EISDIR" || (code === "EPERM" && (await fs.lstat(file)).isDirectory())
  if (!isDirectory) throw refusal
  const held = await fs.open(file, asDirectory)
  await empty(file, held).finally(() => held.close())
  await fs.rmdir(file)
}

const empty = async (directory: string, held: fs.FileHandle): Promise<void> => {
  const inside = insideOf(directory, held)
  for (const name of await fs.readdir(inside)) await removeTree(path.join(inside, name))
}

/** The path of what is held, whatever has its name by now. */
const insideOf = (directory: string, held: fs.FileHandle): string =>
  process.platform === "linux" ? `/proc/self/fd/${held.fd}` : directory

const asDirectory = constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW

/** Rights for this user alone, of what is there itself and not of what a link in its place leads to. @internal */
export const makePrivate = (
  file: string,
  kind: "file" | "directory"
): Effect.Effect<void, BackupError> =>
  attempt(file, "a mode", () => holding(file, kind, () => Promise.resolve()))

/**
 * Brings what this run has made to the disk, for this user alone: a file, or a directory with the files in it.
 * Others may write beside it, so each is held meanwhile, and no link is followed.
 *
 * @internal
 */
export const settle = (file: string): Effect.Effect<void, BackupError> =>
  attempt(file, "what this run has made, on the disk", async () => {
    const sync = (handle: fs.FileHandle) => handle.sync()
    if (!(await fs.lstat(file)).isDirectory()) return await holding(file, "file", sync)
    await holding(file, "directory", async (held) => {
      const inside = insideOf(file, held)
      for (const name of await fs.readdir(inside)) {
        await holding(path.join(inside, name), "file", sync)
      }
      await held.sync()
    })
  })

const holding = async (
  file: string,
  kind: "file" | "directory",
  work: (held: fs.FileHandle) => Promise<void>
): Promise<void> => {
  const held = await fs.open(file, kind === "directory" ? asDirectory : SmallFile.reading)
  await held
    .chmod(kind === "directory" ? 0o700 : privateMode)
    .then(() => work(held))
    .finally(() => held.close())
}

/** Bytes that this process may still write, where that can be known. @internal */
export const free = (directory: string): Effect.Effect<number | undefined, BackupError> =>
  Effect.map(
    attempt(directory, "a file system that reports its free space", () =>
      DiskSpace.look(directory)
    ),
    ({ space }) => space?.freeBytes
  )

/** The checksum of a file, read from its start to its end. @internal */
export const sha256 = (
  file: string,
  onAlive: Effect.Effect<void> = Effect.void
): Effect.Effect<string, BackupError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const handle = yield* open(file, constants.O_RDONLY)
      const hash: Hash = createHash("sha256")
      const chunk = Buffer.allocUnsafe(chunkBytes)
      const readSome = attempt(file, "a file that can be read to its end", async () => {
        for (let bytes = 0; bytes < aliveBytes; ) {
          const { bytesRead } = await handle.read(chunk, 0, chunkBytes)
          if (bytesRead === 0) return true
          hash.update(chunk.subarray(0, bytesRead))
          bytes += bytesRead
        }
        return false
      })
      while (!(yield* readSome)) yield* onAlive
      return hash.digest("hex")
    })
  )

/** @internal */
export const sha256OfText = (content: string): Effect.Effect<string> =>
  Effect.sync(() => createHash("sha256").update(content).digest("hex"))

/** The content of a file, so many bytes of it at most: it may have become longer. @internal */
export const read = (file: string, most: number): Stream.Stream<Uint8Array, BackupError> =>
  Stream.unwrapScoped(
    Effect.map(open(file, constants.O_RDONLY), (handle) =>
      Stream.unfoldEffect(most, (left) =>
        left <= 0
          ? Effect.succeedNone
          : Effect.map(
              attempt(file, "a file that can be read to its end", () =>
                handle.read(Buffer.allocUnsafe(Math.min(left, chunkBytes)))
              ),
              ({ buffer, bytesRead }) =>
                bytesRead === 0
                  ? Option.none()
                  : Option.some([buffer.subarray(0, bytesRead), left - bytesRead] as const)
            )
      )
    )
  )

/** Writes a file that is not there yet, for this user alone, and to the disk. @internal */
export const writeAll = (
  file: string,
  content: Stream.Stream<Uint8Array, BackupError>
): Effect.Effect<void, BackupError> =>
  Effect.scoped(
    Effect.gen(function* () {
      const target = yield* open(file, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL)
      const toDisk = attempt(file, "a write that reaches the disk", () => target.sync())
      let bytes = 0
      let synced = 0
      yield* Stream.runForEach(content, (chunk) =>
        Effect.gen(function* () {
          yield* attempt(file, "room for it", () => target.writeFile(chunk))
          bytes += chunk.length
          // Not all at the end, when a slow share would be silent for minutes.
          if (bytes - synced >= aliveBytes) {
            yield* toDisk
            synced = bytes
          }
        })
      )
      yield* toDisk
    })
  )

/** The files below a directory, by their paths in it, sorted. @internal */
export const filesBelow = (directory: string): Effect.Effect<ReadonlyArray<string>, BackupError> =>
  attempt(directory, "a directory that can be read", async () => {
    const entries = await fs.readdir(directory, { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)))
      .sort()
  })

/** A directory for this user alone, if there is none. @internal */
export const makeDirectory = (directory: string): Effect.Effect<void, BackupError> =>
  attempt(directory, "a directory, or a place for one", () => makeWithParents(directory)).pipe(
    Effect.mapError((error) =>
      codeOf(error.cause) === "ENOENT"
        ? new BackupError({ ...error, found: "a place where none can be made", advice: elsewhere })
        : error
    )
  )

const elsewhere = "Choose another path: no directory can be made there, as in /proc"

/**
 * Not by Node's `recursive`: where a file system says that there is nothing whose parent is there, as
 * /proc does, it tries for ever.
 */
const makeWithParents = async (directory: string): Promise<void> => {
  const parent = path.dirname(directory)
  const isMade = await madeOne(directory).catch((cause: unknown) => {
    if (codeOf(cause) !== "ENOENT" || parent === directory) throw cause
    return false
  })
  if (isMade) return
  await makeWithParents(parent)
  await madeOne(directory)
}

/** True also where there is one already. */
const madeOne = (directory: string): Promise<boolean> =>
  fs.mkdir(directory, { mode: 0o700 }).then(
    async () => {
      const { mode } = await fs.lstat(directory)
      // A umask that takes the rights from everybody takes them from this user too.
      if ((mode & 0o700) !== 0o700) await openToUser(directory)
      return true
    },
    async (cause: unknown) => {
      // What is there may be a link to a directory, a link to nothing, or on a read-only disk.
      const isThere = await fs.stat(directory).then(
        (stat) => stat.isDirectory(),
        () => false
      )
      if (isThere) return true
      throw cause
    }
  )

/**
 * Held, since root may make it where somebody else can exchange it for a link. Whom its mode keeps from
 * opening it is not root, and can change what is their own alone.
 */
const openToUser = (directory: string): Promise<void> =>
  holding(directory, "directory", () => Promise.resolve()).catch(async (cause: unknown) => {
    if (codeOf(cause) !== "EACCES" || process.geteuid?.() === 0) throw cause
    await fs.chmod(directory, 0o700)
  })

/** So much is read, or brought to the disk, between two signs that it goes on. */
const aliveBytes = 16 * 1024 * 1024

/** Small enough that hashing one does not hold up the event loop. */
const chunkBytes = 256 * 1024

const privateMode = 0o600

const open = (
  file: string,
  flags: number
): Effect.Effect<fs.FileHandle, BackupError, Scope.Scope> =>
  Effect.acquireRelease(
    // Not through a link, which may point anywhere; and a pipe is not waited for.
    attempt(file, "a file that can be opened", async () => {
      const always = constants.O_NOFOLLOW | constants.O_NONBLOCK
      const handle = await fs.open(file, flags | always, privateMode)
      // The mode is this one, whatever the umask takes from it.
      if ((flags & constants.O_EXCL) !== 0) await handle.chmod(privateMode).catch(() => undefined)
      return handle
    }),
    (handle) => Effect.promise(() => handle.close().catch(() => undefined))
  )

const failure = (subject: string, expected: string, cause: unknown): BackupError => {
  const code = codeOf(cause)
  const [reason, found, advice] = known[code ?? ""] ?? ["StoreFailed" as const, messageOf(cause)]
  return new BackupError({ reason, subject, expected, found, advice, cause })
}

const known: Readonly<Record<string, readonly [Reason, string, string?] | undefined>> = {
  ENOSPC: [
    "DiskFull",
    "a full disk",
    "Free some space; where nothing else can go, delete the oldest backup by hand, and keep fewer"
  ],
  EDQUOT: [
    "DiskFull",
    "a quota that is used up",
    "Free some space; where nothing else can go, delete the oldest backup by hand, and keep fewer"
  ],
  EFBIG: ["DiskFull", "a limit on the size of files", "Raise the limit (ulimit -f)"],
  EACCES: ["StoreFailed", "no permission", "Give this user the right to read and write there"],
  EPERM: ["StoreFailed", "no permission", "Give this user the right to read and write there"],
  EROFS: [
    "StoreFailed",
    "a read-only file system",
    "Mount it for writing, or choose another place"
  ],
  EEXIST: [
    "StoreFailed",
    "something else of that name, or a link to nothing",
    "Choose another path"
  ],
  ENOENT: ["StoreFailed", "nothing at this path", "Check the path, and that it is mounted"],
  ENOTDIR: ["StoreFailed", "a file in the place of a directory", "Choose another path"],
  ELOOP: ["StoreFailed", "a symbolic link", "Name the file that it points to"]
}
