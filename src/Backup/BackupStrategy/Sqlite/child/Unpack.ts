/** A backup as a database file that was read to its end, checked, and compared with its record. */
import * as fs from "node:fs"
import type { PayloadRequest } from "../Protocol.js"
import type { Tables } from "./Database.js"
import { type Content, extract } from "./Extract.js"
import { about, corrupt } from "./Fault.js"
import { companions, createPrivate, firstBytes, setRollbackMode } from "./files.js"
import * as Header from "./Header.js"
import type { Facts } from "./Inspect.js"
import type { jobs } from "./jobs.js"
import type { Ask, OnProgress } from "./Thread.js"

/** @internal */
export interface Unpacked {
  readonly path: string
  readonly content: Content
  readonly facts: Facts
  readonly warnings: ReadonlyArray<string>
}

interface Options {
  readonly request: PayloadRequest
  readonly deep: boolean
  readonly ask: Ask<typeof jobs>
  readonly onProgress: OnProgress
}

/** Its content in the scratch file. @internal */
export const unpack = async (options: Options): Promise<Unpacked> => {
  const { request } = options
  await about("place", request.scratch, () => {
    createPrivate(request.scratch)
  })
  const content = await read(options, request.scratch)
  if (Header.isWalMode(content.head)) setRollbackMode(request.scratch)
  return checked(options, request.scratch, content)
}

/**
 * Where it lies, if reading it there leaves no trace; otherwise in the scratch file. SQLite would roll
 * back a `-journal` that lies beside it, or read a `-wal`, and a deep check opens it for writing.
 *
 * @internal
 */
export const look = async (options: Options): Promise<Unpacked> => {
  const { compression, path } = options.request
  if (compression !== "none" || options.deep) return unpack(options)
  const head = await about("backup", path, () => firstBytes(path))
  if (Header.isWalMode(head) || besides(options.request).length > 0) return unpack(options)
  return checked(options, path, await read(options, undefined))
}

/** What lies beside a backup under names that SQLite gives its own files. */
const besides = ({ compression, path }: PayloadRequest): ReadonlyArray<string> =>
  compression === "none" ? companions(path).filter((file) => fs.existsSync(file)) : []

const foreign = (file: string): string =>
  `${file} lies beside the backup. It is no part of it and was not read; look where it comes from, and remove it`

/** From its first byte to the last, into the target or nowhere. @internal */
export const read = (
  { onProgress, request }: Pick<Options, "onProgress" | "request">,
  target: string | undefined
): Promise<Content> =>
  extract({
    payload: request,
    target,
    onBytes: (bytes, total) => {
      onProgress({ stage: "verify", bytes, total })
    }
  })

const checked = async (
  { ask, deep, request }: Options,
  path: string,
  content: Content
): Promise<Unpacked> => {
  const { expected, path: subject } = request
  const facts = await ask("inspect", { path, subject, role: "backup", deep, stray: deep })
  const [problem] = facts.problems
  if (problem !== undefined) corrupt(subject, "a database that passes quick_check", problem)
  // What is byte for byte what was dumped has its differences from there.
  const isAsDumped = expected?.contentSha256 !== undefined
  const [first] = facts.differences
  if (first !== undefined && !isAsDumped) {
    corrupt(subject, "a database that passes integrity_check", first)
  }
  const difference =
    expected === undefined ? undefined : differenceOf(expected.tables, facts.tables)
  if (difference !== undefined) corrupt(subject, "the tables of its record", difference)
  return {
    path,
    content,
    facts,
    warnings: [
      ...besides(request).map(foreign),
      ...facts.differences.map((line) => `integrity: ${line}`),
      ...facts.warnings
    ]
  }
}

/** The first thing that differs, in words; undefined where nothing does. @internal */
export const differenceOf = (
  expected: ReadonlyArray<Tables>,
  found: ReadonlyArray<Tables>
): string | undefined => {
  const rows = new Map(found.map((table) => [table.name, table.rows]))
  const names = new Set(expected.map(({ name }) => name))
  const lost = expected.find(({ name }) => !rows.has(name))
  if (lost !== undefined) return `no table ${lost.name}`
  const added = found.find(({ name }) => !names.has(name))
  if (added !== undefined) return `a table ${added.name} more`
  const other = expected.find((table) => rows.get(table.name) !== table.rows)
  return other === undefined
    ? undefined
    : `${rows.get(other.name) ?? 0} rows of ${other.name} in the place of ${other.rows}`
}
