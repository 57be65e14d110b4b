/** As much of a terminal as the live table uses: it wraps, moves up, clears, hides its cursor. */
import { width } from "../../src/Cli/Columns.js"

const token = /\u001b\[(\??)(\d*)([A-Za-z])|\r\n|\n|\r|[\s\S]/gu

export class Terminal {
  cursorShown = true
  private rows: Array<string> = [""]
  private row = 0

  constructor(private columns: number) {}

  write(text: string): void {
    for (const [all, question, number, command] of text.matchAll(token)) {
      if (all === "\n" || all === "\r\n") this.lineBreak()
      else if (command === "A") this.row = Math.max(0, this.row - Number(number))
      else if (command === "J") this.rows = [...this.rows.slice(0, this.row), ""]
      else if (command === "K") continue
      else if (question === "?" && number === "25") this.cursorShown = command === "h"
      else if (command === undefined && all !== "\r") this.put(all)
    }
  }

  /** As terminals that wrap what they show anew. */
  resize(columns: number): void {
    const lines = this.rows.slice(0, -1)
    this.columns = columns
    this.rows = [""]
    this.row = 0
    this.write(lines.map((line) => `${line}\n`).join(""))
  }

  lines(): ReadonlyArray<string> {
    return this.rows.slice(0, this.rows.at(-1) === "" ? -1 : undefined).map((row) => row.trimEnd())
  }

  /** Where the cursor stands is at the start of a row: what is written there takes its place. */
  private fresh = true

  private put(character: string): void {
    if (this.fresh) this.rows[this.row] = ""
    this.fresh = false
    const line = this.rows[this.row] ?? ""
    if (width(line + character) > this.columns) {
      this.lineBreak()
      this.put(character)
    } else this.rows[this.row] = line + character
  }

  private lineBreak(): void {
    // An empty line of the new text takes the place of the one before as well.
    if (this.fresh && this.row < this.rows.length - 1) this.rows[this.row] = ""
    this.row += 1
    this.fresh = true
    if (this.row >= this.rows.length) this.rows.push("")
  }
}
