// @ts-check
/**
 * Whether the code that people copy compiles: every TypeScript block of the docs, and every `@example` in
 * src. Errors come with the file and line where the code stands.
 */
import { readdirSync, readFileSync } from "node:fs"
import * as path from "node:path"
import ts from "typescript"

const root = path.resolve(import.meta.dirname, "..")

/** @typedef {{ readonly file: string, readonly line: number, readonly code: string }} Example */

/** @type {(file: string, text: string) => ReadonlyArray<Example>} */
const inMarkdown = (file, text) =>
  [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map((block) => ({
    file,
    line: text.slice(0, block.index).split("\n").length,
    code: block[1] ?? ""
  }))

/** @type {(file: string, text: string) => ReadonlyArray<Example>} */
const inComments = (file, text) =>
  [...text.matchAll(/^ *\* @example\n((?: *\*(?!\/).*\n)*)/gm)].map((block) => ({
    file,
    line: text.slice(0, block.index).split("\n").length,
    code: (block[1] ?? "").replaceAll(/^ *\* ?/gm, "")
  }))

const under = (/** @type {string} */ folder) =>
  readdirSync(path.join(root, folder), { recursive: true })
    .map((file) => path.posix.join(folder, String(file)))
    .filter((file) => /(?<!\.d)\.ts$|\.md$/.test(file) && !file.includes("node_modules"))

/** design.md is for those who build Holter, and shortens its code. */
const files = ["README.md", ...["docs", "examples", "src"].flatMap(under)].filter(
  (file) => file !== "docs/design.md"
)

const examples = files.flatMap((file) => {
  const text = readFileSync(path.join(root, file), "utf8")
  return file.endsWith(".md") ? inMarkdown(file, text) : inComments(file, text)
})

/** In the root, so that packages are found from there; none of them is written. */
const sources = new Map(
  examples.map((example, index) => [path.join(root, `example-${index}.ts`), example])
)

const config = ts.getParsedCommandLineOfConfigFile(
  path.join(root, "tsconfig.json"),
  // A reader sees what a value is good for; a compiler sees that it is not used.
  { noUnusedLocals: false, noUnusedParameters: false },
  { ...ts.sys, onUnRecoverableConfigFileDiagnostic: () => {} }
)
if (config === undefined) throw new Error("tsconfig.json cannot be read")

const real = ts.createCompilerHost(config.options)
/** @type {ts.CompilerHost} */
const host = {
  ...real,
  fileExists: (file) => sources.has(file) || real.fileExists(file),
  readFile: (file) => sources.get(file)?.code ?? real.readFile(file),
  getSourceFile: (file, version, ...rest) => {
    const example = sources.get(file)
    return example === undefined
      ? real.getSourceFile(file, version, ...rest)
      : ts.createSourceFile(file, `${example.code}\nexport {}\n`, version)
  }
}

const program = ts.createProgram([...sources.keys()], config.options, host)
let wrong = 0
for (const [name, { file, line }] of sources) {
  const source = program.getSourceFile(name)
  for (const found of [
    ...program.getSyntacticDiagnostics(source),
    ...program.getSemanticDiagnostics(source)
  ]) {
    const at = source?.getLineAndCharacterOfPosition(found.start ?? 0).line ?? 0
    console.log(
      `${file}:${line + at + 1}: ${ts.flattenDiagnosticMessageText(found.messageText, "\n  ")}`
    )
    wrong += 1
  }
}
if (examples.length === 0) throw new Error("there is no example: this looks in the wrong place")
if (wrong > 0) process.exit(1)
console.log(`${examples.length} examples compile`)
