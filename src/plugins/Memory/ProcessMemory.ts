/** How much memory this process uses, and how much it may. */
import { Context, Effect, Layer } from "effect"
import * as os from "node:os"
import * as v8 from "node:v8"
import * as Cgroup from "./Cgroup.js"

export interface Figures {
  readonly heapUsedBytes: number
  /** At which V8 gives up: `--max-old-space-size`, or what it chose. */
  readonly heapLimitBytes: number
  readonly rssBytes: number
  /** What the process may hold in all, and who says so. */
  readonly limitBytes: number
  readonly limitFrom: "cgroup" | "machine"
}

export class ProcessMemory extends Context.Tag("holter/plugins/Memory/ProcessMemory")<
  ProcessMemory,
  { readonly read: Effect.Effect<Figures> }
>() {}

export const layer: Layer.Layer<ProcessMemory> = Layer.succeed(ProcessMemory, {
  read: Effect.map(Cgroup.limit(Cgroup.linux), (cgroup): Figures => {
    const heap = v8.getHeapStatistics()
    const machine = os.totalmem()
    // Version 1 says "no limit" with a number beyond any machine.
    const limited = cgroup !== undefined && cgroup < machine
    return {
      heapUsedBytes: heap.used_heap_size,
      heapLimitBytes: heap.heap_size_limit,
      rssBytes: process.memoryUsage.rss(),
      limitBytes: limited ? cgroup : machine,
      limitFrom: limited ? "cgroup" : "machine"
    }
  })
})
