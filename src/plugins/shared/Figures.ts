/**
 * Figures as people read them.
 *
 * @internal
 */

/** In percent; an empty whole has all of it. */
export const share = (part: number, whole: number): number =>
  whole <= 0 ? 100 : (part / whole) * 100

/** With two decimals, for details. */
export const rounded = (value: number): number => Math.round(value * 100) / 100
