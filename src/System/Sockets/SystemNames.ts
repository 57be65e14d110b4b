/**
 * How this machine finds names: /etc/hosts, /etc/resolv.conf and /etc/nsswitch.conf, as texts and as
 * they lie there. A file is read again when it was changed.
 *
 * @internal
 */
import { Either } from "effect"
import { readFileSync, statSync } from "node:fs"
import { isIP } from "node:net"

export interface ResolvConf {
  readonly servers: ReadonlyArray<string>
  readonly search: ReadonlyArray<string>
  readonly ndots: number
  readonly timeoutSeconds: number
  readonly attempts: number
  readonly rotate: boolean
}

/** By resolv.conf(5): three servers at most, the last of `search` and `domain` counts. */
export const parseResolvConf = (text: string, hostname: string): ResolvConf => {
  const lines = text.split("\n").flatMap((line) => {
    const [keyword = "", ...values] = line.trim().split(/\s+/)
    return /^[#;]/.test(keyword) ? [] : [{ keyword, values }]
  })
  const valuesOf = (keyword: string) => lines.filter((line) => line.keyword === keyword)
  const servers = valuesOf("nameserver").flatMap(({ values }) => values.slice(0, 1))
  const listed = lines.findLast(({ keyword }) => keyword === "search" || keyword === "domain")
  const options = new Map(
    valuesOf("options").flatMap(({ values }) =>
      values.map((option): [string, string] => {
        const [name = "", value = ""] = option.split(":")
        return [name, value]
      })
    )
  )
  const number = (name: string, least: number, most: number, byDefault: number) => {
    const value = options.get(name)
    return value !== undefined && /^\d+$/.test(value)
      ? Math.min(most, Math.max(least, Number(value)))
      : byDefault
  }
  const usable = servers.filter((server) => isIP(server) > 0).slice(0, 3)
  return {
    servers: usable.length === 0 ? ["127.0.0.1"] : usable,
    search: (listed?.values ?? ownDomain(hostname)).filter((domain) => domain !== "."),
    ndots: number("ndots", 0, 15, 1),
    timeoutSeconds: number("timeout", 1, 30, 5),
    attempts: number("attempts", 1, 5, 2),
    rotate: options.has("rotate")
  }
}

const ownDomain = (hostname: string): ReadonlyArray<string> => {
  const dot = hostname.indexOf(".")
  return dot < 0 ? [] : [hostname.slice(dot + 1)]
}

/** The names to ask for, in their order. A name that ends with a dot is whole. */
export const candidates = (name: string, { ndots, search }: ResolvConf): ReadonlyArray<string> => {
  if (name.endsWith(".")) return [name.slice(0, -1)]
  const found = search.map((domain) => `${name}.${domain.replace(/\.$/, "")}`)
  return name.split(".").length - 1 >= ndots ? [name, ...found] : [...found, name]
}

export type Hosts = ReadonlyMap<string, ReadonlyArray<string>>

export const parseHosts = (text: string): Hosts => {
  const hosts = new Map<string, Array<string>>()
  for (const line of text.split("\n")) {
    const [address = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/)
    if (isIP(address) === 0) continue
    for (const name of names.map((one) => one.toLowerCase())) {
      const known = hosts.get(name)
      if (known === undefined) hosts.set(name, [address])
      else if (!known.includes(address)) known.push(address)
    }
  }
  return hosts
}

/** Where names are looked for beside /etc/hosts. */
export interface Sources {
  /**
   * `dns`: name servers know as much as any other source. `system`: another source comes before
   * them, and only the system's own look-up asks it.
   */
  readonly first: "dns" | "system"
  /** Whether the system may know what name servers do not. */
  readonly others: boolean
  /** Whether names in `.local` are found by multicast. */
  readonly multicast: boolean
}

/** By nsswitch.conf(5). Without that file (musl, a small image) there is DNS and nothing else. */
export const parseSources = (text: string, servers: ReadonlyArray<string>): Sources => {
  const line = /^[ \t]*hosts:(.*)$/m.exec(text)?.[1]
  const listed = (line ?? "files dns")
    .replace(/#.*|\[[^\]]*\]/g, "")
    .trim()
    .split(/\s+/)
  const hasDns = listed.includes("dns")
  const before = hasDns ? listed.slice(0, listed.indexOf("dns")) : listed
  // systemd-resolved answers on this address as it does by its own module.
  const stub = servers.every((server) => /^127\.0\.0\.5[34]$/.test(server))
  const harmless = (source: string) =>
    /^(?:files|myhostname|mymachines|mdns[46]?(?:_minimal)?)$/.test(source) ||
    (source === "resolve" && stub)
  const known = hasDns || (listed.includes("resolve") && stub)
  return {
    first: known && before.every(harmless) ? "dns" : "system",
    others: listed.some((source) => source !== "files" && source !== "dns"),
    multicast: listed.some((source) => source.startsWith("mdns"))
  }
}

/** A file as it was when it was last changed; an empty text where there is none. */
export class Parsed<A> {
  private stamp = ""
  private value: A

  constructor(
    private readonly path: string,
    private readonly parse: (text: string) => A
  ) {
    this.value = parse("")
  }

  /** Read in place: these files are small and local, and a thread for them may be long in coming. */
  get current(): A {
    const stats = Either.getOrUndefined(
      Either.try(() => statSync(this.path, { throwIfNoEntry: false }))
    )
    const stamp = stats === undefined ? "" : `${stats.mtimeMs} ${stats.size} ${stats.ino}`
    if (stamp === this.stamp) return this.value
    this.stamp = stamp
    const text = Either.getOrElse(
      Either.try(() => readFileSync(this.path, "utf8")),
      () => ""
    )
    this.value = this.parse(text)
    return this.value
  }
}
