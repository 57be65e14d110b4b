/** What part 2 promises about speed and memory, in one place. */
import type { Limit } from "../limits.js"

const most = (value: number): Limit => ({ kind: "most", value })
const least = (value: number): Limit => ({ kind: "least", value })

export const limits = {
  sqlite: {
    /** How many times longer the Python script's way takes. */
    faster: least(5),
    /** Size of the backup against that of the Python script's. */
    size: most(1.01),
    /** How many times more CPU time the Python script's way takes than the fastest setting. */
    leanest: least(4.5),
    /** With zstd, on a newer Node. */
    zstd: least(8),
    /** Caller and child together, above an idle process. */
    megabytes: most(120)
  },
  caller: {
    /** Delay of the calling program's event loop, in milliseconds. */
    p99: most(20),
    max: most(60)
  },
  /** Milliseconds; of `create` those beyond what it takes in an empty directory. */
  crowd: { list: most(2000), backups: most(3000), foreign: most(2000) },
  postgres: {
    /** How many times longer `pg_dump -Fc` takes. */
    faster: least(1.6),
    jobs: least(2.5)
  }
} as const
