/** Free space and free inodes of the file system that holds a path, and whether it can be written. */
import { Effect, Schema } from "effect"
import * as Check from "../Check/Check.js"
import * as ConfigField from "../Plugin/ConfigField.js"
import * as Outcome from "../Check/Outcome.js"
import * as DiskUsage from "./Disk/DiskUsage.js"
import { Details } from "./shared/ErrorFields.js"
import * as Figures from "./shared/Figures.js"
import * as Format from "../Common/Format.js"

export class DiskError extends Schema.TaggedError<DiskError>("holter/plugins/Disk/DiskError")(
  "DiskError",
  {
    reason: Schema.Literal(
      "NotFound",
      "Forbidden",
      "Unreadable",
      "UnknownUnit",
      "Full",
      "OutOfInodes",
      "ReadOnly"
    ),
    path: Schema.String,
    /** What was found, such as `0.4 % free (1.2 GB), at least 1 % expected`. */
    found: Schema.optional(Schema.String),
    details: Schema.optional(Details),
    cause: Schema.optional(Schema.Defect)
  }
) {
  override get message(): string {
    const disk = `Disk of ${JSON.stringify(this.path)}`
    switch (this.reason) {
      case "NotFound":
        return `${disk}: there is no such path. Create it, or correct \`path\`.`
      case "Forbidden":
        return `${disk}: this user may not look at it. Grant access to the folders on the way there.`
      case "Unreadable":
        return `${disk}: the system does not tell its free space. Look at the kernel's log and the mount.`
      case "UnknownUnit":
        return `${disk}: this file system (FUSE) counts its space in a unit that this Node does not tell, and df gives no answer. Install df (coreutils).`
      case "Full":
        return `Disk is full: ${this.found}. Delete something, or make the disk larger.`
      case "OutOfInodes":
        return `Disk has no room for more files: ${this.found}. Delete files; many small ones use inodes up.`
      case "ReadOnly":
        return `Disk is mounted read-only (${this.found}), and must be writable. The kernel does this after disk errors: look at its log.`
    }
  }
}

const Config = Schema.Struct({
  path: ConfigField.withDefault(
    Schema.NonEmptyString.annotations({
      description: "a file or folder on the disk to watch; relative to the working directory"
    }),
    "."
  ),
  warnPercent: ConfigField.withDefault(
    ConfigField.percent.annotations({
      description: "degraded when less of the space or of the inodes is free, in percent"
    }),
    10
  ),
  minFreePercent: ConfigField.withDefault(
    ConfigField.percent.annotations({
      description: "unhealthy when less of the space or of the inodes is free, in percent"
    }),
    1
  ),
  minFreeBytes: Schema.optional(
    Schema.NonNegativeInt.annotations({
      description: "unhealthy when fewer bytes are free, whatever their share: a whole number"
    })
  ),
  writable: Schema.optional(
    Schema.Boolean.annotations({
      description:
        "what a read-only disk means: true unhealthy, false nothing (space is then not judged), degraded when not set"
    })
  )
})

type Config = typeof Config.Type

const probe = (config: Config): Effect.Effect<Outcome.Outcome, DiskError, DiskUsage.DiskUsage> =>
  DiskUsage.DiskUsage.pipe(
    Effect.flatMap((disk) => disk.read(config.path)),
    Effect.mapError(
      ({ cause, code }) => new DiskError({ reason: reasonOf(code), path: config.path, cause })
    ),
    Effect.flatMap((usage) => judge(config, usage))
  )

/** Unhealthy by default only under 1 % free: that is when writes begin to fail. */
export const Disk = Check.make("disk", {
  description: "Free space, free inodes and writability of a disk",
  label: "disk",
  config: Config.fields,
  error: DiskError,
  statuses: { UnknownUnit: "unknown" },
  probe,
  services: () => DiskUsage.layer
})

const reasonOf = (code: string | undefined): DiskError["reason"] => {
  if (code === "ENOENT" || code === "ENOTDIR") return "NotFound"
  if (code === "HOLTER_NO_UNIT") return "UnknownUnit"
  return code === "EACCES" || code === "EPERM" ? "Forbidden" : "Unreadable"
}

const judge = (
  config: Config,
  usage: DiskUsage.Usage
): Effect.Effect<Outcome.Outcome, DiskError> => {
  const { freeBytes, inodes, mount, readOnly, totalBytes } = usage
  const free = Figures.share(freeBytes, totalBytes)
  const inodesFree = inodes === undefined ? undefined : Figures.share(inodes.free, inodes.total)
  const details = {
    path: config.path,
    free_bytes: freeBytes,
    total_bytes: totalBytes,
    free_percent: Figures.rounded(free),
    inodes_free_percent: inodesFree === undefined ? null : Figures.rounded(inodesFree),
    read_only: readOnly,
    mount: mount?.path ?? null,
    file_system: mount?.type ?? null
  }
  const room = `${Format.percent(free)} free (${Format.bytes(freeBytes)})`
  const fail = (reason: DiskError["reason"], found: string) =>
    new DiskError({ reason, path: config.path, found, details })

  if (readOnly && config.writable === true) {
    return fail("ReadOnly", mount === undefined ? config.path : `${mount.type} at ${mount.path}`)
  }
  // A read-only image, such as a squashfs, is full by its nature.
  if (readOnly && config.writable === false) {
    return Effect.succeed(Outcome.healthy("Disk is read-only, as configured", { details }))
  }
  if (config.minFreeBytes !== undefined && freeBytes < config.minFreeBytes) {
    return fail("Full", `${room}, at least ${Format.bytes(config.minFreeBytes)} expected`)
  }
  if (free < config.minFreePercent) {
    return fail("Full", `${room}, at least ${Format.percent(config.minFreePercent)} expected`)
  }
  if (inodesFree !== undefined && inodesFree < config.minFreePercent) {
    return fail(
      "OutOfInodes",
      `${Format.percent(inodesFree)} of the inodes are free, at least ${Format.percent(config.minFreePercent)} expected`
    )
  }
  const warnings = [
    ...(readOnly ? ["is mounted read-only"] : []),
    ...(free < config.warnPercent ? [`has only ${room}`] : []),
    ...(inodesFree !== undefined && inodesFree < config.warnPercent
      ? [`has only ${Format.percent(inodesFree)} of its inodes free`]
      : [])
  ]
  return Effect.succeed(
    warnings.length > 0
      ? Outcome.degraded(`Disk ${warnings.join(" and ")}`, { details })
      : Outcome.healthy(`Disk has ${room}`, { details })
  )
}
