// @ts-check
/**
 * Reads what tsc says with the Effect language service patched in. Pure.
 *
 * @typedef {object} Diagnostic
 * @property {string} at `src/Check/Check.ts(12,3)`, empty where no file is to blame
 * @property {"error" | "warning" | "message"} category
 * @property {string} source `TS2322`, or the language service's rule: `effect(floatingEffect)`
 * @property {string} text
 */

const first = /^(?:(\S.*\(\d+,\d+\)): )?(error|warning|message) (TS\d+): (.*)$/
const rule = /\s*(effect\(\w+\))$/

/** @type {(output: string) => ReadonlyArray<Diagnostic>} */
export const read = (output) => {
  /** @type {Array<Diagnostic>} */
  const found = []
  for (const line of output.split("\n")) {
    const [, at = "", category, source = "", text = ""] = first.exec(line) ?? []
    const last = found.at(-1)
    if (category === "error" || category === "warning" || category === "message") {
      found.push({ at, category, source, text })
    } else if (last !== undefined) {
      last.text += `\n  ${line}`
    }
  }
  return found.map((diagnostic) => {
    const text = diagnostic.text.trimEnd()
    const source = rule.exec(text)?.[1] ?? diagnostic.source
    return { ...diagnostic, source, text: text.replace(rule, "") }
  })
}

/**
 * Which ones fail the gate. The language service's suggestions do not. Type tests are wrong on
 * purpose, where tsc expects it. In src no error type may be lost to any or unknown; in a test it may.
 *
 * @type {(diagnostic: Diagnostic) => boolean}
 */
export const counts = ({ at, category, source }) => {
  if (!source.startsWith("effect(")) return true
  if (category === "message" || at.startsWith("test/types/")) return false
  return source !== "effect(anyUnknownInErrorContext)" || at.startsWith("src/")
}

/** @type {(diagnostic: Diagnostic) => string} */
export const format = ({ at, category, source, text }) =>
  `${at === "" ? "" : `${at}: `}${category} ${source}: ${text}`
