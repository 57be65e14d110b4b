/**
 * A span in the two largest units, the second one also where it is zero, so that a column of them
 * does not jump: `45s`, `1h 0m`, `3d 4h`. Pure.
 */
export const span = (millis: number): string => {
  const seconds = Math.max(0, Math.floor(millis / 1000))
  if (seconds < minute) return `${seconds}s`
  if (seconds < hour) return two(seconds, minute, "m", 1, "s")
  if (seconds < day) return two(seconds, hour, "h", minute, "m")
  return two(seconds, day, "d", hour, "h")
}

const minute = 60
const hour = 60 * minute
const day = 24 * hour

const two = (
  seconds: number,
  large: number,
  largeName: string,
  small: number,
  smallName: string
): string =>
  `${Math.floor(seconds / large)}${largeName} ${Math.floor((seconds % large) / small)}${smallName}`
