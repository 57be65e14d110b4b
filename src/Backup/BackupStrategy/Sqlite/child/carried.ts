/** What the program of the child is given by the one that runs it: no file of it is there. */

/** @internal */
export interface Carried {
  /** The program itself, for its thread. */
  readonly text: string
  /** The path of better-sqlite3, which `scripts/programs.mjs` lets the program require. */
  readonly driver: string
}
