/** The phases of a shutdown: their names, their order, and what each is for. */

/**
 * In the order in which they run. The first eight are the steps of an orderly shutdown; `close` is
 * what must outlive them all: the status endpoint, then the program's layers with their loggers.
 */
export const names = [
  "intake",
  "monitoring",
  "state",
  "drain",
  "cancel",
  "bot",
  "connections",
  "database",
  "close"
] as const

export type Name = (typeof names)[number]

/** A phase as it is logged and printed. */
export interface Phase {
  readonly name: string
  /** What it does, as an operator reads it: `stop accepting requests`. */
  readonly title: string
}

/**
 * A phase of the program's own, right before or right after another one, which may itself have
 * been inserted before.
 */
export type Insertion = {
  readonly name: string
  /** Default: the name. */
  readonly title?: string
} & (
  | { readonly before: string; readonly after?: never }
  | { readonly after: string; readonly before?: never }
)

/** The built-in phases, in their order. */
export const builtIn: ReadonlyArray<Phase> = [
  { name: "intake", title: "stop accepting requests" },
  { name: "monitoring", title: "stop health monitoring" },
  { name: "state", title: "save application state" },
  { name: "drain", title: "wait for pending tasks" },
  { name: "cancel", title: "cancel what remains" },
  { name: "bot", title: "stop the bot" },
  { name: "connections", title: "close API connections" },
  { name: "database", title: "close the database" },
  { name: "close", title: "close the rest" }
] satisfies ReadonlyArray<Phase & { readonly name: Name }>
