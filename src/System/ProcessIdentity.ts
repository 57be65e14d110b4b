/**
 * Which process holds a lock or a journal or made a file, written so that another process, or one after a
 * reboot, can judge whether it is still alive.
 */
import { Effect, Schema } from "effect"
import { createHash, randomBytes } from "node:crypto"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import { codeOf } from "../Common/Errors.js"

/**
 * A process, as far as its system tells about it.
 *
 * @internal
 */
export const ProcessIdentity = Schema.Struct({
  pid: Schema.Number,
  host: Schema.String,
  /** Another one after each start of the system. */
  boot: Schema.NullOr(Schema.String),
  /** Processes of another container have other numbers. */
  pidNamespace: Schema.NullOr(Schema.String),
  /** In ticks since the boot: a number is given to another process again, a start time is not. */
  started: Schema.NullOr(Schema.String)
})

/** @internal */
export type ProcessIdentity = typeof ProcessIdentity.Type

/** `unknown`: of another machine or container, or the system does not tell. @internal */
export type State = "alive" | "dead" | "unknown"

/** This process. It is read once: nothing of it changes. @internal */
export const self: Effect.Effect<ProcessIdentity> = Effect.promise(() => (known ??= read()))

let known: Promise<ProcessIdentity> | undefined

const read = async (): Promise<ProcessIdentity> => ({
  pid: process.pid,
  host: os.hostname(),
  boot: await readOrNull(() => fs.readFile("/proc/sys/kernel/random/boot_id", "utf8")),
  pidNamespace: await readOrNull(() => fs.readlink("/proc/self/ns/pid")),
  started: (await statOf(process.pid))?.started ?? null
})

/** @internal */
export const stateOf = (owner: ProcessIdentity, me: ProcessIdentity): Effect.Effect<State> =>
  Effect.gen(function* () {
    if (owner.host !== me.host || owner.boot === null || me.boot === null) return "unknown"
    if (owner.boot !== me.boot) return "dead"
    if (owner.pidNamespace === null || owner.pidNamespace !== me.pidNamespace) return "unknown"
    if (!(yield* exists(owner.pid))) return "dead"
    const stat = yield* Effect.promise(() => statOf(owner.pid))
    // Hidden from this user, and there all the same.
    if (stat === undefined) return "alive"
    const isAnother = owner.started !== null && stat.started !== owner.started
    return isAnother || stat.isOver ? "dead" : "alive"
  })

/** Letters and digits that no other run has. @internal */
export const unique: Effect.Effect<string> = Effect.sync(() => randomBytes(8).toString("hex"))

/** The process as part of a file's name. @internal */
export const format = (owner: ProcessIdentity): string =>
  [owner.pid, hostOf(owner), short(owner.boot), short(owner.pidNamespace), owner.started ?? 0].join(
    "-"
  )

/** What `format` wrote, as far as it can be compared with this process. @internal */
export const parse = (text: string, me: ProcessIdentity): ProcessIdentity | undefined => {
  const [, pid = "", host = "", boot = "", namespace = "", started = ""] = form.exec(text) ?? []
  if (pid === "") return undefined
  const mine = (part: string, written: string, own: string | null) =>
    written === part ? own : `not ${part}`
  return {
    pid: Number(pid),
    host: host === hostOf(me) ? me.host : "another host",
    boot: mine(short(me.boot), boot, me.boot),
    pidNamespace: mine(short(me.pidNamespace), namespace, me.pidNamespace),
    started: started === "0" ? null : started
  }
}

const form = /^([1-9]\d{0,9})-([0-9a-f]{6})-([0-9a-z]{1,12})-([0-9a-z]{1,12})-(\d{1,20})$/

const hostOf = ({ host }: ProcessIdentity): string =>
  createHash("sha256").update(host).digest("hex").slice(0, 6)

const short = (text: string | null): string => {
  const plain = (text ?? "").toLowerCase().replace(/[^0-9a-z]/g, "")
  return plain === "" ? "0" : plain.slice(-12)
}

const readOrNull = (read: () => Promise<string>): Promise<string | null> =>
  read().then(
    (text) => text.trim(),
    () => null
  )

/** Signal 0 only asks. A process of another user may not be asked, and is there. */
const exists = (pid: number): Effect.Effect<boolean> =>
  Effect.try({ try: () => process.kill(pid, 0), catch: codeOf }).pipe(
    Effect.catchAll((code) => Effect.succeed(code === "EPERM"))
  )

/** The state and start time of a process, in /proc/PID/stat behind its name in parentheses. */
const statOf = async (
  pid: number
): Promise<{ readonly started: string; readonly isOver: boolean } | undefined> => {
  const text = await readOrNull(() => fs.readFile(`/proc/${pid}/stat`, "utf8"))
  const fields = text?.slice(text.lastIndexOf(")") + 2).split(" ")
  const [state, started] = [fields?.[0], fields?.[19]]
  if (state === undefined || started === undefined) return undefined
  return { started, isOver: state === "Z" || state === "X" }
}
