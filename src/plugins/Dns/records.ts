/**
 * The records of a name as texts, in the form that `dig +short` prints, without the last dot.
 *
 * @since 0.1.0
 */
import { Schema } from "effect"
import type { Resolver } from "node:dns/promises"

/**
 * @since 0.1.0
 * @category models
 */
export const RecordType = Schema.Literal("A", "AAAA", "CNAME", "MX", "TXT", "NS", "SRV")

/**
 * @since 0.1.0
 * @category models
 */
export type RecordType = typeof RecordType.Type

/**
 * In an order that does not change when a server rotates its answers.
 *
 * @since 0.1.0
 * @category constructors
 */
export const resolve = async (
  resolver: Resolver,
  name: string,
  type: RecordType
): Promise<ReadonlyArray<string>> => [...(await ask(resolver, name, type))].sort()

const ask = async (
  resolver: Resolver,
  name: string,
  type: RecordType
): Promise<ReadonlyArray<string>> => {
  switch (type) {
    case "A":
      return resolver.resolve4(name)
    case "AAAA":
      return resolver.resolve6(name)
    case "CNAME":
      return resolver.resolveCname(name)
    case "NS":
      return resolver.resolveNs(name)
    case "TXT":
      return (await resolver.resolveTxt(name)).map((chunks) => chunks.join(""))
    case "MX":
      return (await resolver.resolveMx(name)).map((mx) => `${mx.priority} ${mx.exchange}`)
    case "SRV":
      return (await resolver.resolveSrv(name)).map(
        (srv) => `${srv.priority} ${srv.weight} ${srv.port} ${srv.name}`
      )
  }
}

/**
 * Whether a record is what a person wrote: names without regard to case and last dot, MX and SRV
 * also by their host alone, TXT to the letter.
 *
 * @since 0.1.0
 * @category predicates
 */
export const matches = (type: RecordType, record: string, expected: string): boolean => {
  if (type === "TXT") return record === expected
  const wanted = plain(expected)
  const found = plain(record)
  return found === wanted || (type !== "A" && type !== "AAAA" && found.split(" ").pop() === wanted)
}

const plain = (text: string): string => text.trim().toLowerCase().replace(/\.$/, "")
