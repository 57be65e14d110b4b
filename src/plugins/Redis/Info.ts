/**
 * The facts of INFO that a check reads.
 *
 * @internal
 */
import type * as Outcome from "../../Check/Outcome.js"
import * as Figures from "../shared/Figures.js"
import * as Format from "../../Common/Format.js"

export interface Info {
  readonly version: string
  /** "standalone", "cluster" or "sentinel". */
  readonly mode: string
  readonly role: string
  readonly usedMemory: number
  readonly maxMemory: number
  /** What is given up when the memory is full. */
  readonly policy: string
  readonly keys: number
  /** The keys that end by themselves: the volatile-* policies give up no others. */
  readonly expiring: number
  readonly clients: number
  readonly loading: boolean
  readonly replicaLinkDown: boolean
  readonly readOnly: boolean
  readonly saveFailed: boolean
}

/** Asked for in the order in which servers write them, as `reader` likes it. */
export const parse = (text: string): Info => {
  const field = reader(text)
  const number = (key: Key): number => Number(field(key)) || 0
  const version = field(keys.version)
  const mode = field(keys.mode)
  const clients = number(keys.clients)
  const usedMemory = number(keys.usedMemory)
  const maxMemory = number(keys.maxMemory)
  const policy = field(keys.policy)
  const loading = field(keys.loading) === "1"
  const saveFailed = field(keys.lastSnapshot) === "err" || field(keys.lastAppendOnlyWrite) === "err"
  const role = field(keys.role)
  const isReplica = role === "slave"
  return {
    version,
    mode,
    role: isReplica ? "replica" : role,
    usedMemory,
    maxMemory,
    policy,
    ...keyspace(text),
    clients,
    loading,
    replicaLinkDown: isReplica && field(keys.linkStatus) === "down",
    readOnly: isReplica && field(keys.readOnly) !== "0",
    saveFailed
  }
}

const keys = {
  version: "\nredis_version:",
  mode: "\nredis_mode:",
  clients: "\nconnected_clients:",
  usedMemory: "\nused_memory:",
  maxMemory: "\nmaxmemory:",
  policy: "\nmaxmemory_policy:",
  loading: "\nloading:",
  lastSnapshot: "\nrdb_last_bgsave_status:",
  lastAppendOnlyWrite: "\naof_last_write_status:",
  role: "\nrole:",
  linkStatus: "\nmaster_link_status:",
  readOnly: "\nslave_read_only:"
} as const

type Key = (typeof keys)[keyof typeof keys]

/**
 * INFO has some two hundred lines, and few of them are asked for: each is looked for from where the
 * last one was found, and only if it is not there from the beginning.
 */
const reader = (text: string): ((key: Key) => string) => {
  let found = 0
  return (key) => {
    const ahead = text.indexOf(key, found)
    const start = ahead < 0 ? text.indexOf(key) : ahead
    if (start < 0) return ""
    found = start
    const from = start + key.length
    const end = text.indexOf("\r", from)
    return text.slice(from, end < 0 ? undefined : end)
  }
}

/** Of all its databases, which stand in the last section. */
const keyspace = (text: string): Pick<Info, "expiring" | "keys"> => {
  const section = text.lastIndexOf("# Keyspace")
  let [keys, expiring] = [0, 0]
  if (section < 0) return { keys, expiring }
  for (const [, some, ending] of text
    .slice(section)
    .matchAll(/^db\d+:keys=(\d+),expires=(\d+)/gm)) {
    keys += Number(some)
    expiring += Number(ending)
  }
  return { keys, expiring }
}

export const details = (info: Info): Outcome.Details => ({
  version: info.version,
  mode: info.mode,
  role: info.role,
  used_memory_bytes: info.usedMemory,
  maxmemory_bytes: info.maxMemory,
  maxmemory_policy: info.policy,
  connected_clients: info.clients
})

/** What is wrong with a server that answers, worst first. */
export const warnings = (info: Info, maxMemoryPercent: number): ReadonlyArray<string> => {
  const share = info.maxMemory === 0 ? 0 : Figures.share(info.usedMemory, info.maxMemory)
  return [
    ...(info.loading ? ["it is loading its data"] : []),
    ...(info.replicaLinkDown ? ["the link to its primary is down"] : []),
    ...(info.saveFailed ? ["its last save failed"] : []),
    ...(share > maxMemoryPercent && !makesRoom(info)
      ? [
          `it uses ${Format.percent(share)} of its memory (${Format.bytes(info.maxMemory)})${scarce(info)}`
        ]
      : [])
  ]
}

const isVolatile = ({ policy }: Info): boolean => policy.startsWith("volatile-")

/**
 * A cache that gives up old keys is full all the time, and well. One that gives up only keys that expire
 * is so while enough of its keys do.
 */
const makesRoom = (info: Info): boolean =>
  info.policy.startsWith("allkeys-") || (isVolatile(info) && info.expiring * 10 >= info.keys)

const scarce = (info: Info): string =>
  isVolatile(info)
    ? `, and ${info.policy} can give up only ${info.expiring} of ${info.keys} keys`
    : ""
