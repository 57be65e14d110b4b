// @ts-check
/**
 * The words of sentences that a person reads: the pages of docs, README.md, and the strings of src.
 * A clause that begins with who or what, a passive of "tell" and a negation in the place of a noun
 * make a reader look twice. Words of code are not looked at.
 */
import { readdirSync, readFileSync } from "node:fs"
import * as path from "node:path"
import ts from "typescript"

process.chdir(path.resolve(import.meta.dirname, ".."))

/** @type {ReadonlyArray<{ readonly words: RegExp, readonly instead: string }>} */
const rules = [
  {
    words: /\b(?:is|are|was|were|be|been|being|gets?) told\b/i,
    instead: "is notified, is logged, or the active form"
  },
  {
    words: /\b(?:nobody|somebody|whoever)\b/i,
    instead: "the person, program or user that does it"
  },
  {
    words: /(?:^|[.;:!?] )Wh(?:o|at) (?!to do\b|happened\b)(?![^.]*\?)/,
    instead: "a noun as the subject"
  },
  { words: /\b(?:a text|texts) (?!file|message)/i, instead: "a string, words, or what it is" },
  { words: /\bowed\b/i, instead: "pending" },
  { words: /\bas users would\b/i, instead: "the action" }
]

/** @typedef {{ readonly file: string, readonly line: number, readonly text: string }} Sentence */

/** @returns {ReadonlyArray<Sentence>} */
const ofPage = (/** @type {string} */ file) => {
  let isCode = false
  return readFileSync(file, "utf8")
    .split("\n")
    .flatMap((text, index) => {
      const isFence = /^\s*```/.test(text)
      if (isFence) isCode = !isCode
      return isCode || isFence ? [] : [{ file, line: index + 1, text: withoutCode(text) }]
    })
}

const withoutCode = (/** @type {string} */ text) => text.replace(/`[^`]*`/g, "``")

/** @returns {ReadonlyArray<Sentence>} */
const ofModule = (/** @type {string} */ file) => {
  const source = ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.ESNext)
  /** @type {Array<Sentence>} */
  const found = []
  const visit = (/** @type {ts.Node} */ node) => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) return
    // The word of a type or a tag is no sentence.
    if (ts.isStringLiteralLike(node) || ts.isTemplateLiteralToken(node)) {
      if (node.text.includes(" ")) {
        const { line } = source.getLineAndCharacterOfPosition(node.getStart(source))
        found.push({ file, line: line + 1, text: node.text })
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

const under = (/** @type {string} */ folder) =>
  readdirSync(folder, { recursive: true })
    .map((file) => path.posix.join(folder, String(file)))
    .filter((file) => !file.includes("node_modules"))

/** Builders of Holter read of what was measured and of how the house is built. */
const inner = ["docs/measurements.md", "docs/design.md"]
const pages = ["README.md", ...["docs", "examples"].flatMap(under)].filter(
  (file) => file.endsWith(".md") && !inner.includes(file)
)
const modules = under("src").filter((file) => file.endsWith(".ts"))
const sentences = [...pages.flatMap(ofPage), ...modules.flatMap(ofModule)]
const problems = sentences.flatMap(({ file, line, text }) =>
  rules.flatMap(({ instead, words }) => {
    const match = words.exec(text)
    return match === null
      ? []
      : [`${file}:${line}  "${match[0].trim()}": write ${instead}\n    ${text.trim()}`]
  })
)
for (const problem of problems) console.log(problem)
console.log(`${sentences.length} sentences, ${problems.length} to be written anew`)
process.exitCode = problems.length === 0 && sentences.length > 0 ? 0 : 1
