/** The thread that looks at many files. It waits for each call itself. */
import * as fs from "node:fs"
import { join } from "node:path"
import { parentPort, workerData } from "node:worker_threads"
import { attempt, bracket } from "../../../../Common/bracket.js"
import * as SmallFile from "../../../SmallFile.js"
import { atOnce, type Order, type Plain } from "./Protocol.js"

const { directory, names } = workerData as Order

const look = ({ isText, name }: Order["names"][number]): Plain | undefined => {
  const file = join(directory, name)
  return isText ? read(name, file) : plain(name, fs.lstatSync(file, { bigint: true }), null)
}

/** Undefined where it is odd. */
const read = (name: string, file: string): Plain | undefined =>
  bracket(
    () => fs.openSync(file, SmallFile.reading),
    (descriptor) => {
      const stat = fs.fstatSync(descriptor, { bigint: true })
      const reading = SmallFile.begin(stat)
      for (let rest = reading?.rest(); rest !== undefined; rest = reading?.rest()) {
        reading?.take(fs.readSync(descriptor, rest))
      }
      return reading === undefined ? undefined : plain(name, stat, reading.text())
    },
    fs.closeSync
  )

const plain = (name: string, stat: fs.BigIntStats, text: string | null): Plain | undefined =>
  stat.isFile()
    ? {
        name,
        bytes: Number(stat.size),
        version: SmallFile.versionOf(stat),
        modified: Number(stat.mtimeMs),
        text
      }
    : undefined

for (let from = 0; from < names.length; from += atOnce) {
  const looked = names.slice(from, from + atOnce).map((name) => attempt(() => look(name)))
  parentPort?.postMessage(looked.filter((one) => one !== undefined))
}
