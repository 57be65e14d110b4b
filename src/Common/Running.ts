/**
 * Who wants to know what runs: called with a name when a piece of work starts; what it gives back is
 * called when that ends. None is there unless a program provides it.
 *
 * @internal
 */
import { Context } from "effect"

export type Observer = (name: string) => () => void

export class Running extends Context.Reference<Running>()("holter/Common/Running", {
  defaultValue: (): Observer | undefined => undefined
}) {}
