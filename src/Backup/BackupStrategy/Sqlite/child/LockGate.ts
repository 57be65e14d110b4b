/**
 * Where a restore waits for its second half, with the write lock in its hand: on the main thread for a
 * promise, on the thread of SQLite, which must not let go of its transaction, for a number in memory.
 */

/** @internal */
export interface LockGate {
  readonly gate: Gate
  /** Says that the lock is what comes next, and waits. */
  readonly approach: () => Promise<void>
  /** Says that the file can be replaced, and waits. */
  readonly pass: () => Promise<void>
  /** The same, said by the thread of SQLite. */
  readonly announce: () => void
  /** Lets by whoever waits, before the lock or with it in hand. */
  readonly open: () => void
}

/** @internal */
export type Gate = Int32Array

/** @internal */
export const make = (say: {
  readonly prepared: () => void
  readonly locked: (replaces: boolean) => void
}): LockGate => {
  const gate = new Int32Array(new SharedArrayBuffer(4))
  const ways: Array<() => void> = []
  const promise = new Promise<void>((resolve) => ways.push(resolve))
  const approaching: Array<() => void> = []
  return {
    gate,
    approach: () => {
      say.prepared()
      return new Promise((resolve) => approaching.push(resolve))
    },
    announce: () => {
      say.locked(false)
    },
    pass: () => {
      say.locked(true)
      return promise
    },
    open: () => {
      const first = approaching.pop()
      if (first !== undefined) {
        first()
        return
      }
      Atomics.store(gate, 0, 1)
      Atomics.notify(gate, 0)
      for (const way of ways) way()
    }
  }
}

/** Holds the thread of SQLite until the gate is open. @internal */
export const wait = (gate: Gate): void => {
  Atomics.wait(gate, 0, 0)
}

/** How the thread of SQLite says that it has the lock: as a stage of its progress. @internal */
export const locked = "locked"
