/** What the watchdog's thread and the main thread share. */

export interface Order {
  /** Cells that both threads see. */
  readonly shared: Int32Array
  /** How long the loop may be blocked, and how often to look, in milliseconds. */
  readonly limit: number
  readonly tick: number
  /** What stands before and after the names of the checks that ran. */
  readonly head: string
  readonly tail: string
}

/** From now on this cell counts the runs of this check. */
export interface Named {
  readonly cell: number
  readonly name: string
}

/** Counts the turns of the loop. */
export const turns = 0
/** Not zero while a debugger holds the program. */
export const held = 1
export const firstName = 2
