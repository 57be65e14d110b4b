/** How the names of what is not finished begin. Without Effect, for the child of SQLite. */

/** A backup in the making, or what loses its name before it is removed. @internal */
export const partial = ".partial-"

/** What a strategy unpacks beside a backup, to verify or to drill it. @internal */
export const scratch = ".holter-scratch-"
