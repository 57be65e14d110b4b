/**
 * Sizes for people. Pure.
 *
 * @internal
 */

/** `41 MB`, in powers of a thousand, as `ls --si` and disks count. */
export const bytes = (count: number): string => {
  const [value, unit] = units.reduce<readonly [number, string]>(
    ([value, shown], unit) => (value >= 999.5 ? [value / 1000, unit] : [value, shown]),
    [count, "B"]
  )
  return `${unit !== "B" && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${unit}`
}

const units = ["kB", "MB", "GB", "TB", "PB"]
