/**
 * What a configuration may be, far above what one is: aliases make much of little, and all that reads it
 * goes down into its values by recursion. Pure.
 */
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"

const mostLevels = 64

/** Each alias counts with all that it stands for. */
const mostValues = 50_000

const levelsExpected = `at most ${mostLevels} levels`

/**
 * Of a text that is not parsed yet, as a parser takes long for brackets in brackets: more of them open at
 * once than any text that is meant has, in quotation marks or not.
 */
export const tooDeep = (text: string): ConfigIssue | undefined => {
  let open = 0
  let most = 0
  for (const char of text) {
    if (char === "[" || char === "{") most = Math.max(most, ++open)
    else if (char === "]" || char === "}") open -= 1
  }
  return most > 10 * mostLevels || lists.test(text)
    ? { path: [], expected: levelsExpected, found: "many more" }
    : undefined
}

const lists = new RegExp(`^(?:[ \\t]*[-?][ \\t]+){${mostLevels + 1}}`, "m")

/** What is wrong with it as a whole, or a name in it that is none in JavaScript. */
export const tooMuch = (content: unknown): ConfigIssue | undefined => {
  const sizes = new Map<object, Size>()
  const look = (value: unknown): Size => {
    if (typeof value !== "object" || value === null) return { levels: 0, values: 1 }
    const known = sizes.get(value)
    if (known !== undefined) return known
    // What contains itself is told of by its path, where variables are filled in.
    sizes.set(value, { levels: 0, values: 1 })
    const entries = Object.entries(value)
    const inner = entries.map(([, item]) => look(item))
    const size = {
      levels: 1 + inner.reduce((most, { levels }) => Math.max(most, levels), 0),
      values: 1 + inner.reduce((sum, { values }) => sum + values, 0)
    }
    sizes.set(value, size)
    return size
  }
  const { levels, values } = look(content)
  if (levels > mostLevels) {
    return { path: [], expected: levelsExpected, found: `${levels} of them` }
  }
  if (values > mostValues) {
    return {
      path: [],
      expected: `at most ${mostValues} values, each alias (*name) counted with all that it stands for`,
      found: Number.isSafeInteger(values) ? `${values} of them` : "many more"
    }
  }
  return nameless(content, [], new Set())
}

interface Size {
  readonly levels: number
  readonly values: number
}

/** A key that an object of JavaScript cannot have like any other: what it names would vanish. */
const nameless = (
  value: unknown,
  path: ReadonlyArray<string>,
  seen: Set<object>
): ConfigIssue | undefined => {
  if (typeof value !== "object" || value === null || seen.has(value)) return undefined
  seen.add(value)
  for (const [key, item] of Object.entries(value)) {
    if (key === "__proto__") {
      return {
        path: [...path, key],
        expected: "another name",
        found: "one that JavaScript keeps for itself"
      }
    }
    const found = nameless(item, [...path, key], seen)
    if (found !== undefined) return found
  }
  return undefined
}
