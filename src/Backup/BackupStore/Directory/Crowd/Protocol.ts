/** What the thread that looks at many backups is given, and what it answers. */

/** What the thread looks at. @internal */
export interface Order {
  readonly directory: string
  readonly names: ReadonlyArray<{ readonly name: string; readonly manifest: string }>
}

/** A backup that is a file, and the text of its manifest; null where it has none. @internal */
export interface Plain {
  readonly name: string
  readonly bytes: number
  readonly text: string | null
}

/** So many are looked at between two messages. @internal */
export const atOnce = 256
