/**
 * Which decisions are worth a line to whoever does not look for a particular one. `holter why` has all.
 * Pure, but for what it remembers.
 */
import type { Decision } from "../../Alert/AlertPolicy.js"

/**
 * Whether a decision is to be said now. That failures after the start do not count is said once for each
 * service, and not for those that were known to be down.
 */
export const make = (
  verbose: boolean,
  down: Iterable<string>
): ((decision: Decision) => boolean) => {
  const begun = new Set(down)
  return (decision) => {
    if (verbose) return true
    // What somebody did, or what is over, comes to nothing for whom to tell, and is news here.
    if (decision._tag === "Nothing") {
      return decision.reason === "Noted" && !withOwnLine.has(decision.rule)
    }
    if (decision._tag !== "Suppressed" || decision.reason !== "Start") return true
    const service = decision.service ?? ""
    if (begun.has(service)) return false
    begun.add(service)
    return true
  }
}

/** A start and a reload say by a line of their own what they are. */
const withOwnLine: ReadonlySet<Decision["rule"]> = new Set(["start", "configuration"])
