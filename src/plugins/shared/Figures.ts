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

/** `45 %`; with a decimal where a whole number would say too little. Never rounded up to a limit. */
export const percent = (value: number): string =>
  `${Math.abs(value) < 10 ? Math.floor(value * 10) / 10 : Math.floor(value)} %`

/** `112 GB`, in powers of a thousand, as disks are sold and `df -H` counts. */
export const bytes = (count: number): string => {
  let value = count
  let unit = 0
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${value < 10 && unit > 0 ? Math.floor(value * 10) / 10 : Math.floor(value)} ${units[unit]}`
}

const units = ["bytes", "kB", "MB", "GB", "TB", "PB"]
