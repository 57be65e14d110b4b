/**
 * Which service explains the outage of which: a dependency must be there, and none may be its own
 * cause: in a cycle each outage explains the other, and no channel hears of either. Pure.
 */
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as ConfigIssues from "../Plugin/ConfigIssues.js"

export interface Dependent {
  readonly name: string
  readonly dependsOn: ReadonlyArray<string>
}

/** `names` are all services that may be meant, also those that are wrong or not configured. */
export const issues = (
  services: ReadonlyArray<Dependent>,
  names: ReadonlySet<string>,
  scrub: (text: string) => string = (text) => text
): ReadonlyArray<ConfigIssue> => {
  const unknown = services.flatMap(({ dependsOn, name }) =>
    dependsOn.flatMap((dependency, index) =>
      names.has(dependency)
        ? []
        : [
            {
              path: ["checks", name, "dependsOn", String(index)],
              expected: `the name of a check (known: ${[...names].join(", ")})`,
              found: ConfigIssues.show(dependency, scrub)
            }
          ]
    )
  )
  const graph = new Map(services.map(({ dependsOn, name }) => [name, dependsOn]))
  return [
    ...unknown,
    ...cycles(graph).map((cycle) => ({
      path: ["checks", cycle[0] ?? "", "dependsOn"],
      expected: "no check that depends on itself, directly or by others",
      found: [...cycle, cycle[0]].join(" -> ")
    }))
  ]
}

/** Those of its dependencies that depend on it, directly or by `others`: with each it is in a cycle. */
export const closing = (
  { dependsOn, name }: Dependent,
  others: (name: string) => ReadonlyArray<string>
): ReadonlyArray<string> => {
  const leads = (from: string, seen: Set<string>): boolean => {
    if (from === name) return true
    if (seen.has(from)) return false
    seen.add(from)
    return others(from).some((next) => leads(next, seen))
  }
  return dependsOn.filter((dependency) => leads(dependency, new Set()))
}

/** Each cycle once, from the service in it that stands first. */
const cycles = (
  graph: ReadonlyMap<string, ReadonlyArray<string>>
): ReadonlyArray<ReadonlyArray<string>> => {
  const found: Array<ReadonlyArray<string>> = []
  const done = new Set<string>()
  const visit = (name: string, way: ReadonlyArray<string>): void => {
    const begin = way.indexOf(name)
    if (begin >= 0) found.push(way.slice(begin))
    if (begin >= 0 || done.has(name)) return
    for (const next of graph.get(name) ?? []) visit(next, [...way, name])
    done.add(name)
  }
  for (const name of graph.keys()) visit(name, [])
  return found
}
