/**
 * Standard streams that are a terminal. The program never waits for one, and outlives it.
 *
 * @internal
 */
import { closeSync, openSync } from "node:fs"
import { devNull } from "node:os"
import { isatty, type WriteStream } from "node:tty"

/** For as long as the process lives. */
export const release = (): void => {
  for (const stream of [process.stdout, process.stderr]) buffer(stream)
  const terminals = [0, 1, 2].filter((descriptor) => isatty(descriptor))
  process.on("exit", () => {
    for (const descriptor of terminals) replace(descriptor)
  })
}

/**
 * Node writes to a terminal synchronously: one that takes nothing (Ctrl-S, a pty without a reader)
 * stops the event loop, and with it signals, checks and alerts. What it does not take waits in memory.
 */
const buffer = (stream: WriteStream): void => {
  // Node has no public way to this; streams that are no terminal buffer already.
  const { _handle: handle } = stream as WriteStream & {
    readonly _handle?: { readonly setBlocking?: (isBlocking: boolean) => void }
  }
  if (stream.isTTY) handle?.setBlocking?.(false)
}

/**
 * At its exit Node gives each terminal its old modes back, and aborts where that fails: one that hung
 * up takes none. A descriptor of another file is left alone.
 */
const replace = (descriptor: number): void => {
  if (isatty(descriptor)) return
  closeSync(descriptor)
  // The lowest free descriptor is the one that was closed.
  openSync(devNull, "r+")
}
