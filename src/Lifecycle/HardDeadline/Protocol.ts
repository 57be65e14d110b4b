/** What the thread of a hard deadline is told. */

export interface Order {
  /** What to write when it comes to that. */
  readonly report: string
  /** When, in milliseconds of the clock of the machine. */
  readonly at: number
}

/** What changed. */
export type Change = Partial<Order>

/** All threads share it: a thread takes its time to start. */
export const now = (): number => Number(process.hrtime.bigint()) / 1_000_000
