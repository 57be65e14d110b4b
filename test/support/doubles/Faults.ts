/** Faults of an API double, by method or path: some once, in turn, or one until it is healed. */
import type { Behaviour } from "./Behaviour.js"

export interface Faults {
  readonly next: (subject: string) => Behaviour | undefined
  readonly add: (subject: string, faults: ReadonlyArray<Behaviour>) => void
  readonly always: (subject: string, fault: Behaviour) => void
  readonly heal: () => void
}

/** The subject that stands for every other. */
export const any = "*"

export const make = (): Faults => {
  const once = new Map<string, Array<Behaviour>>()
  const lasting = new Map<string, Behaviour>()
  return {
    next: (subject) =>
      once.get(subject)?.shift() ??
      once.get(any)?.shift() ??
      lasting.get(subject) ??
      lasting.get(any),
    add: (subject, faults) => {
      once.set(subject, [...(once.get(subject) ?? []), ...faults])
    },
    always: (subject, fault) => {
      lasting.set(subject, fault)
    },
    heal: () => {
      once.clear()
      lasting.clear()
    }
  }
}
