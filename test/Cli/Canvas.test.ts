/** The lines at the bottom of a terminal, as a small terminal shows them. */
import { assert, describe, it } from "@effect/vitest"
import { Canvas } from "../../src/Cli/Canvas.js"
import { Terminal } from "./terminal.js"

const clear = { frame: "\u001b[?2026h" }

describe("Canvas", () => {
  it("puts lines in the place of those before, whatever their number", () => {
    const canvas = new Canvas()
    const terminal = new Terminal(40)
    terminal.write(canvas.draw(["one", "two", "three"], 40))
    assert.deepStrictEqual(terminal.lines(), ["one", "two", "three"])
    terminal.write(canvas.draw(["1"], 40))
    assert.deepStrictEqual(terminal.lines(), ["1"])
    terminal.write(canvas.draw(["1", "2"], 40))
    assert.deepStrictEqual(terminal.lines(), ["1", "2"])
  })

  it("puts text above them, and leaves nothing of a longer line", () => {
    const canvas = new Canvas()
    const terminal = new Terminal(40)
    terminal.write(canvas.above("before\n", 40))
    terminal.write(canvas.draw(["a long line", "last"], 40))
    terminal.write(canvas.above("log\n", 40))
    terminal.write(canvas.draw(["short", "last"], 40))
    assert.deepStrictEqual(terminal.lines(), ["before", "log", "short", "last"])
  })

  it("hides the cursor while there are lines, and brings it back", () => {
    const canvas = new Canvas()
    const terminal = new Terminal(40)
    assert.isTrue(terminal.cursorShown)
    terminal.write(canvas.draw(["one"], 40))
    assert.isFalse(terminal.cursorShown)
    terminal.write(canvas.cursor)
    assert.isTrue(terminal.cursorShown)
    terminal.write(canvas.draw(["two"], 40) + canvas.leave() + canvas.above("after\n", 40))
    assert.isTrue(terminal.cursorShown)
    assert.deepStrictEqual(terminal.lines(), ["two", "after"])
    assert.strictEqual(canvas.cursor, "")
  })

  it("finds its lines where a narrower terminal has wrapped them", () => {
    const canvas = new Canvas()
    const terminal = new Terminal(40)
    terminal.write("above\n")
    terminal.write(canvas.draw(["0123456789abcdefghij", "全角全角全角全角全角", "end"], 40))
    terminal.resize(10)
    terminal.write(canvas.draw(["new"], 10))
    assert.deepStrictEqual(terminal.lines(), ["above", "new"])
  })

  it("writes each change as one whole", () => {
    const canvas = new Canvas()
    assert.isTrue(canvas.draw(["one"], 40).startsWith(clear.frame))
    assert.isTrue(canvas.above("log\n", 40).startsWith(clear.frame))
  })
})
