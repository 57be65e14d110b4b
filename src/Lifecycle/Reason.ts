/** Why a program stops. */
import { Inspectable } from "effect"

/** `Asked`: the program itself wants to stop, or the fiber that runs it was interrupted. */
export type Reason =
  | { readonly _tag: "Signal"; readonly signal: string }
  | {
      readonly _tag: "Fault"
      readonly kind: "uncaughtException" | "unhandledRejection"
      readonly fault: unknown
    }
  | { readonly _tag: "Asked"; readonly by: string }

/** In a few words. */
export const text = (reason: Reason): string => {
  switch (reason._tag) {
    case "Signal":
      return reason.signal
    case "Fault":
      return reason.kind
    case "Asked":
      return reason.by
  }
}

/**
 * What a fault says of itself, on one line.
 *
 * @internal
 */
export const faultText = (fault: unknown): string =>
  fault instanceof Error ? `${fault.name}: ${fault.message}` : Inspectable.toStringUnknown(fault, 0)
