/** A wait on the thread of SQLite, where nothing else is to be done meanwhile. */

/** @internal */
export const pause = (millis: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, millis)
}
