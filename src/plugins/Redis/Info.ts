/**
 * The facts of INFO that a check reads.
 *
 * @internal
 */
import type * as Outcome from "../../Check/Outcome.js"
import * as Figures from "../shared/Figures.js"

export interface Info {
  readonly version: string
  readonly role: string
  readonly usedMemory: number
  readonly maxMemory: number
  readonly clients: number
  readonly loading: boolean
  readonly replicaLinkDown: boolean
  readonly readOnly: boolean
  readonly saveFailed: boolean
}

export const parse = (text: string): Info => {
  // INFO has some two hundred lines, and few of them are asked for.
  const field = (name: string): string => {
    const start = text.indexOf(`\n${name}:`)
    if (start < 0) return ""
    const from = start + name.length + 2
    const end = text.indexOf("\r", from)
    return text.slice(from, end < 0 ? undefined : end)
  }
  const number = (name: string): number => Number(field(name)) || 0
  const role = field("role")
  return {
    version: field("redis_version"),
    role: role === "slave" ? "replica" : role,
    usedMemory: number("used_memory"),
    maxMemory: number("maxmemory"),
    clients: number("connected_clients"),
    loading: field("loading") === "1",
    replicaLinkDown: field("master_link_status") === "down",
    readOnly: role === "slave" && field("slave_read_only") !== "0",
    saveFailed:
      field("rdb_last_bgsave_status") === "err" || field("aof_last_write_status") === "err"
  }
}

export const details = (info: Info): Outcome.Details => ({
  version: info.version,
  role: info.role,
  used_memory_bytes: info.usedMemory,
  maxmemory_bytes: info.maxMemory,
  connected_clients: info.clients
})

/** What is wrong with a server that answers, worst first. */
export const warnings = (info: Info, maxMemoryPercent: number): ReadonlyArray<string> => {
  const share = info.maxMemory === 0 ? 0 : Figures.share(info.usedMemory, info.maxMemory)
  return [
    ...(info.loading ? ["it is loading its data"] : []),
    ...(info.replicaLinkDown ? ["the link to its primary is down"] : []),
    ...(info.saveFailed ? ["its last save failed"] : []),
    ...(share > maxMemoryPercent
      ? [`it uses ${Figures.percent(share)} of its memory (${Figures.bytes(info.maxMemory)})`]
      : [])
  ]
}
