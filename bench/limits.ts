/** What is promised about speed, in one place. A ratio is CPU time against CPU time. */

export interface Limit {
  /** `most`: the figure may not be greater; `least`: not smaller. */
  readonly kind: "most" | "least"
  readonly value: number
}

const most = (value: number): Limit => ({ kind: "most", value })
const least = (value: number): Limit => ({ kind: "least", value })

export const limits = {
  /**
   * Set, and judged, in the environment of the shell: what they were set beside, an unbundled build at
   * 18.8 times `node -e 0`, comes out only where `NODE_EXTRA_CA_CERTS` is set; in a bare environment
   * the same build is at more than 40 times. The bench prints both, with the same limits.
   */
  cold: {
    /** Against `node -e 0`. */
    version: most(1.5),
    help: most(2.4),
    sqlite: most(3),
    four: most(3.5),
    /** Peak resident memory of the four checks. */
    megabytes: most(80),
    /** The four checks against the same by the Python port. */
    python: most(0.5),
    /** A newer Node against this one, both with the four checks. */
    newerNode: most(1)
  },
  warm: {
    /** Against the bare driver. */
    http: most(3.5),
    postgres: most(3),
    redis: most(6),
    /** How many times the others cost what an HTTP check of Holter costs. */
    blackbox: least(4),
    python: least(100)
  },
  heartbeat: {
    /** Against a loop of timers and `Promise.allSettled`; the aim is 10. */
    trivial: most(20),
    cores: most(0.25),
    /** Against bare undici. */
    http: most(2),
    lateness: most(50),
    megabytes: most(180),
    growth: most(1.05),
    /** Results that a journal in SQLite takes, of each second, and beats that are skipped then. */
    written: least(5000),
    skipped: most(0)
  },
  shutdown: {
    /** Milliseconds from the last answer to the exit. */
    afterLast: most(50),
    /** Milliseconds from the signal to the exit, with nothing to do. */
    idle: most(150),
    /** Of the requests in flight. */
    dropped: most(0),
    /** Of the 20 that come during the lame-duck time. */
    late: least(20)
  }
} as const
