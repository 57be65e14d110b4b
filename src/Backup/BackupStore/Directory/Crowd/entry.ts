/** The thread that looks at many backups. It waits for each call itself. */
import * as fs from "node:fs"
import { join } from "node:path"
import { parentPort, workerData } from "node:worker_threads"
import { attempt, bracket, orElse } from "../../../../Common/bracket.js"
import * as SmallFile from "../../../SmallFile.js"
import { atOnce, type Order, type Plain } from "./Protocol.js"

const { directory, names } = workerData as Order

const look = ({ manifest, name }: Order["names"][number]): Plain | undefined => {
  const stat = fs.lstatSync(join(directory, name))
  if (!stat.isFile()) return undefined
  const text = textOf(join(directory, manifest))
  return text === undefined ? undefined : { name, bytes: stat.size, text }
}

/** Null where there is none, undefined where it is odd. */
const textOf = (file: string): string | null | undefined =>
  orElse(
    () =>
      bracket(
        () => fs.openSync(file, SmallFile.reading),
        (descriptor) => {
          const reading = SmallFile.begin(fs.fstatSync(descriptor))
          for (let rest = reading?.rest(); rest !== undefined; rest = reading?.rest()) {
            reading?.take(fs.readSync(descriptor, rest))
          }
          return reading?.text()
        },
        fs.closeSync
      ),
    (error) => "code" in error && error.code === "ENOENT",
    () => null
  )

for (let from = 0; from < names.length; from += atOnce) {
  const looked = names.slice(from, from + atOnce).map((name) => attempt(() => look(name)))
  parentPort?.postMessage(looked.filter((one) => one !== undefined))
}
