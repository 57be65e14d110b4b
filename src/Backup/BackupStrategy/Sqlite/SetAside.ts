/** Names of databases that a restore set aside: `<file>_pre_restore_<YYYYMMDD_HHMMSS_mmm>`, in UTC. */
import { DateTime, Option } from "effect"

/** @internal */
export const nameOf = (file: string, at: DateTime.Utc): string => {
  const stamp = DateTime.formatIso(at).replace("T", "_").replace(".", "_").replace(/[-:Z]/g, "")
  return `${file}${mark}${stamp}`
}

/** When a restore set it aside; none where the name is another. @internal */
export const parse = (file: string, name: string): Option.Option<DateTime.Utc> => {
  if (!name.startsWith(`${file}${mark}`)) return Option.none()
  const stamp = /^(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)_(\d{3})$/.exec(
    name.slice(file.length + mark.length)
  )
  if (stamp === null) return Option.none()
  const [, year, month, day, hour, minute, second, millis] = stamp
  return DateTime.make(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millis}Z`)
}

const mark = "_pre_restore_"
