/** The records of a name as texts, in the form that `dig +short` prints, without the last dot. */
import { Effect, Schema } from "effect"
import type { MxRecord, Resolver, SrvRecord } from "node:dns"
import * as Host from "../../Common/Host.js"
import { asked } from "../../System/NameServers.js"

export const RecordType = Schema.Literal("A", "AAAA", "CNAME", "MX", "TXT", "NS", "SRV")

export type RecordType = typeof RecordType.Type

/** In an order that does not change when a server rotates its answers. */
export const resolve = (
  resolver: Resolver,
  name: string,
  type: RecordType
): Effect.Effect<ReadonlyArray<string>, Error> =>
  Effect.map(ask(resolver, name, type), (records) => [...records].sort())

const ask = (
  resolver: Resolver,
  name: string,
  type: RecordType
): Effect.Effect<ReadonlyArray<string>, Error> => {
  switch (type) {
    case "A":
      return asked((done) => resolver.resolve4(name, done))
    case "AAAA":
      return asked((done) => resolver.resolve6(name, done))
    case "CNAME":
      return asked((done) => resolver.resolveCname(name, done))
    case "NS":
      return asked((done) => resolver.resolveNs(name, done))
    case "TXT":
      return Effect.map(
        asked<Array<Array<string>>>((done) => resolver.resolveTxt(name, done)),
        (texts) => texts.map((chunks) => chunks.join(""))
      )
    case "MX":
      return Effect.map(
        asked<Array<MxRecord>>((done) => resolver.resolveMx(name, done)),
        (all) => all.map((mx) => `${mx.priority} ${mx.exchange}`)
      )
    case "SRV":
      return Effect.map(
        asked<Array<SrvRecord>>((done) => resolver.resolveSrv(name, done)),
        (all) => all.map((srv) => `${srv.priority} ${srv.weight} ${srv.port} ${srv.name}`)
      )
  }
}

/**
 * Whether a record is what a person wrote: names without regard to case and last dot, MX and SRV
 * also by their host alone, TXT to the letter.
 */
export const matches = (type: RecordType, record: string, expected: string): boolean => {
  if (type === "TXT") return record === expected
  const wanted = plain(expected)
  const found = plain(record)
  return found === wanted || (type !== "A" && type !== "AAAA" && found.split(" ").pop() === wanted)
}

const plain = (text: string): string =>
  text.trim().split(" ").map(Host.ascii).join(" ").toLowerCase().replace(/\.$/, "")
