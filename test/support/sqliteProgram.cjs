/**
 * A program that has a SQLite database open. It is told what to do line by line, in JSON:
 * `{ sql }` answers with the rows; `{ write: "on" }` moves money in transactions over two tables, hundreds
 * of them a second; `{ write: "off" }` answers with their number; `{ visit: "on" }` opens, writes, closes,
 * again and again.
 */
const Sqlite = require("better-sqlite3")

const [path] = process.argv.slice(2)
const open = () => new Sqlite(path, { fileMustExist: true, timeout: 20_000 })
const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)
const database = open()
// What is in the WAL goes into the file at once, under the nose of whoever copies it.
database.pragma("wal_autocheckpoint = 4")
let step
let done = 0

const transfer = (on) => {
  on.exec("BEGIN IMMEDIATE")
  on.exec("INSERT INTO ledger (amount, note) VALUES (7, hex(randomblob(40)))")
  on.exec("UPDATE account SET total = total + 7, moves = moves + 1")
  on.exec("COMMIT")
  done += 1
}
const visit = () => {
  const own = open()
  own.exec("INSERT INTO visits DEFAULT VALUES")
  own.close()
  done += 1
}
const loop = (work) => {
  if (step !== work) return
  work()
  setTimeout(loop, 1, work)
}
const run = (work, switched) => {
  const count = done
  if (switched === "off") {
    step = undefined
    say({ done: count })
    return
  }
  done = 0
  step = work
  loop(work)
  say({ done: 0 })
}

const answer = ({ sql, visit: visits, write }) => {
  if (write) return run(write === "on" ? (step ?? (() => transfer(database))) : undefined, write)
  if (visits) return run(visits === "on" ? (step ?? visit) : undefined, visits)
  try {
    const statement = database.prepare(sql)
    say({ rows: statement.reader ? statement.all() : [statement.run()].slice(1) })
  } catch (error) {
    say({ error: error.message })
  }
}

let text = ""
process.stdin.setEncoding("utf8").on("data", (more) => {
  text += more
  const lines = text.split("\n")
  text = lines.pop()
  for (const line of lines) answer(JSON.parse(line))
})
process.stdin.on("end", () => process.exit(0))
say({ ready: true })
