/**
 * Which service explains the outage of which: a dependency must be there, and none may be its own
 * cause. Pure.
 */
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as ConfigIssues from "../Plugin/ConfigIssues.js"
import type { ServiceDraft } from "./ServiceDraft.js"

type Draft = Pick<ServiceDraft, "name" | "entry">

/** `names` are all services that may be meant, also those that are wrong or not configured. */
export const issues = (
  drafts: ReadonlyArray<Draft>,
  names: ReadonlySet<string>,
  scrub: (text: string) => string
): ReadonlyArray<ConfigIssue> => {
  const graph = new Map(drafts.map((draft) => [draft.name, dependenciesOf(draft)]))
  const unknown = [...graph].flatMap(([name, dependencies]) =>
    dependencies.flatMap((dependency, index) =>
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
  return [
    ...unknown,
    ...cycles(graph).map((cycle) => ({
      path: ["checks", cycle[0] ?? "", "dependsOn"],
      expected: "no check that depends on itself, directly or by others",
      found: [...cycle, cycle[0]].join(" -> ")
    }))
  ]
}

/** What is no list of texts, the check's own fields tell. */
const dependenciesOf = ({ entry }: Draft): ReadonlyArray<string> => {
  const given = entry?.["dependsOn"]
  const all: ReadonlyArray<unknown> = Array.isArray(given) ? given : []
  return all.filter((name) => typeof name === "string")
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
