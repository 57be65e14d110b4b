/** The same bound for the bare drivers that Holter's runs have. */

export const checksAtOnce = 100
export const bound = 32
/** How often all the checks are run for one measurement. */
const repeats = 5
/** What is compiled in the first thousands of runs is not what a beat costs. */
export const warmUps = 10

/**
 * `Promise.allSettled` over all tasks, of which `bound` run at once. The limiter is as small as one
 * can be: p-limit does more.
 */
export const allSettled = async (tasks: ReadonlyArray<() => Promise<unknown>>): Promise<void> => {
  let running = 0
  const waiting: Array<() => void> = []
  const limited = async (task: () => Promise<unknown>) => {
    if (running === bound) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      await task()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
  const results = await Promise.allSettled(tasks.map(limited))
  const failed = results.find((result) => result.status === "rejected")
  if (failed !== undefined) throw failed.reason
}

/** The CPU time of this process, user and system, that a check takes: microseconds. */
export const cpuPerCheck = async (runAll: () => Promise<void>): Promise<number> => {
  const before = process.cpuUsage()
  for (let repeat = 0; repeat < repeats; repeat++) await runAll()
  const { system, user } = process.cpuUsage(before)
  return (system + user) / (repeats * checksAtOnce)
}
