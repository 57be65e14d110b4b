/** What the thread that looks at many files is given, and what it answers. */

/** What the thread looks at. @internal */
export interface Order {
  readonly directory: string
  readonly names: ReadonlyArray<{ readonly name: string; readonly isText: boolean }>
}

/** A plain file; its text where it was asked for, null otherwise. @internal */
export interface Plain {
  readonly name: string
  readonly bytes: number
  readonly version: string
  readonly modified: number
  readonly text: string | null
}

/** So many are looked at between two messages. @internal */
export const atOnce = 256
