/** Work on several cores whose results are wanted in order, with a bound on what is in flight. */
import * as os from "node:os"

/** One more than can be worked on, so that no core waits for the disk. @internal */
export const inFlight = Math.min(os.availableParallelism(), 4) + 1

/** @internal */
export interface Work<A> {
  /** Starts the work of a turn; undefined at the end. */
  readonly next: (turn: number) => Promise<A> | undefined
  readonly take: (result: A) => void
}

/** @internal */
export const inOrder = async <A>({ next, take }: Work<A>): Promise<void> => {
  const queue: Array<Promise<A>> = []
  const drain = async (left: number) => {
    while (queue.length > left) {
      const [first] = queue.splice(0, 1)
      if (first !== undefined) take(await first)
    }
  }
  for (let turn = 0; ; turn += 1) {
    await drain(inFlight - 1)
    const started = next(turn)
    if (started === undefined) break
    // Its failure is told in its turn; until then it is not an unhandled one.
    started.catch(() => undefined)
    queue.push(started)
  }
  await drain(0)
}
