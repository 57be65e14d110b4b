/**
 * The program of the child process, which works on SQLite files.
 *
 * The library carries it as text and sends it to a plain Node: a program that bundles Holter has no file
 * of it. Only better-sqlite3, which brings a binary, is a package beside the library or the bundle.
 */
import { Context, Effect, Either } from "effect"
import * as NodeModule from "node:module"
import { BackupError } from "../../BackupError.js"
import { text } from "./child/text.js"
import type { Carried } from "./child/carried.js"

/** @internal */
export interface Program {
  readonly text: string
  /** Files from which better-sqlite3 is looked for, as an import in them would. */
  readonly from: ReadonlyArray<string>
}

/** @internal */
export class ChildProgram extends Context.Reference<ChildProgram>()(
  "holter/Backup/BackupStrategy/Sqlite/ChildProgram",
  { defaultValue: (): Program => ({ text, from: places() }) }
) {}

/**
 * This module, and the bundle that it may be in: as CommonJS that has no `import.meta.url`, and some
 * bundlers put the place of the source there. Then the program that was started.
 */
const places = (): ReadonlyArray<string> =>
  [
    import.meta.url as string | undefined,
    typeof __filename === "string" ? __filename : undefined,
    process.argv[1]
  ].filter((place) => place !== undefined)

/** What is sent, with the path of better-sqlite3. @internal */
export const carried = ({ from, text }: Program): Effect.Effect<Carried, BackupError> => {
  const found = from.map((place) =>
    Either.try({
      try: () => NodeModule.createRequire(place).resolve("better-sqlite3"),
      catch: (cause) => missing(from, cause)
    })
  )
  return Effect.map(Effect.firstSuccessOf(found), (driver) => ({ text, driver }))
}

const missing = (from: ReadonlyArray<string>, cause: unknown): BackupError =>
  new BackupError({
    reason: "ChildFailed",
    subject: "the child process for SQLite",
    expected: `the package better-sqlite3, looked for from ${from.join(" and ")}`,
    found: "no such package",
    advice:
      "Install it where the program runs (npm install better-sqlite3); a bundler has to leave it external",
    cause
  })

/**
 * For Node: reads so many bytes of standard input as the program has, and runs them. What follows is the
 * program's to read.
 *
 * @internal
 */
export const argumentsFor = ({ driver, text }: Carried): ReadonlyArray<string> => [
  "--input-type=commonjs",
  "--eval",
  loader,
  driver,
  String(Buffer.byteLength(text))
]

const loader = `/* Holter's work on SQLite files */
const { argv, stdin } = process
const wanted = Number(argv[2])
let bytes = Buffer.alloc(0)
const take = (more) => {
  bytes = Buffer.concat([bytes, more])
  if (bytes.length < wanted) return
  stdin.off("data", take)
  stdin.pause()
  stdin.unshift(bytes.subarray(wanted))
  const carried = { text: bytes.toString("utf8", 0, wanted), driver: argv[1] }
  require("node:vm").compileFunction(carried.text, ["require", "carried"])(require, carried)
}
stdin.on("data", take)`
