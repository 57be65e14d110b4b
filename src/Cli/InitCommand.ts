/**
 * `holter init`: writes a commented configuration for what the environment holds.
 */
import * as Command from "@effect/cli/Command"
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Effect, Either, Option } from "effect"
import { names } from "./ConfigFile.js"
import * as Environment from "./Environment.js"
import { ExitCode, exitCodes, Output } from "./Output.js"
import * as Services from "./Services.js"

export const command = Command.make("init", {}, () => init).pipe(
  Command.withDescription(
    "Write a commented holter.config.yaml for what is found in the environment; never overwrites"
  )
)

const init = Effect.gen(function* () {
  const fs = yield* FileSystem
  const path = yield* Path
  const output = yield* Output
  const existing = yield* Effect.filter(names, (name) =>
    Effect.orElseSucceed(fs.exists(path.resolve(name)), () => false)
  )
  const [first] = existing
  if (first !== undefined) return yield* refuse(`${path.resolve(first)} exists and stays as it is`)
  const services = yield* Effect.forEach(Services.known, found)
  const target = path.resolve(names[0])
  const written = yield* Effect.either(
    fs.writeFileString(target, template(services), { flag: "wx", mode: 0o600 })
  )
  if (Either.isLeft(written)) {
    const { left } = written
    const reason = left._tag === "SystemError" ? left.reason : left._tag
    return yield* refuse(`cannot write ${target} (${reason})`)
  }
  const active = services.filter(isActive).map(({ service }) => service.name)
  const list = active.join(", ") || "none in the environment, so only this machine"
  yield* output.line(`Wrote ${target} (services: ${list})`)
})

const refuse = (text: string) =>
  Effect.gen(function* () {
    const output = yield* Output
    const exitCode = yield* ExitCode
    yield* output.note(`holter init: ${text}`)
    yield* exitCode.set(exitCodes.failed)
  })

interface Found {
  readonly service: Services.KnownService
  /** Its fields whose variables are set. */
  readonly fields: ReadonlyArray<string>
}

const isActive = ({ fields, service }: Found): boolean =>
  fields.some((field) => service.presence.includes(field))

const found = (service: Services.KnownService): Effect.Effect<Found, never, FileSystem> =>
  Effect.map(
    Effect.filter(Object.keys(service.variables), (field) =>
      Environment.read(service.variables[field] ?? "").pipe(
        Effect.map(Option.isSome),
        // A variable that is set twice over is set; `check` says what is wrong with it.
        Effect.orElseSucceed(() => true)
      )
    ),
    (fields) => ({ service, fields })
  )

const template = (services: ReadonlyArray<Found>): string =>
  [
    "# yaml-language-server: $schema=./node_modules/holter/dist/holter.config.schema.json",
    "#",
    "# Holter's configuration. Values may name variables: ${NAME} or ${NAME:-default}; each variable",
    "# may also be given as NAME_FILE, the path of a file that holds it. Secrets belong there.",
    "",
    'name: "${HOLTER_NAME:-Holter}"',
    "",
    "# For every check that does not say otherwise.",
    "heartbeat:",
    "  interval: 30 seconds",
    "  timeout: 10 seconds",
    "  failureThreshold: 3   # failures in a row before an alert",
    "  recoveryThreshold: 2  # successes in a row before the all-clear",
    "",
    "# One entry a service; the key is its name. `holter plugins list` shows the types,",
    "# `holter plugins describe TYPE` their fields.",
    "checks:",
    ...services.flatMap(entry),
    ...(services.some(isActive) ? [] : machine),
    "  # website:",
    "  #   type: http",
    "  #   url: https://example.com/up",
    "  #   slow: 800 millis",
    "",
    ...backup(services.some(({ fields, service }) => isDatabase(service) && fields.length > 0)),
    ""
  ].join("\n")

/** A file has to name a check; where no service is known yet, this machine stands in. */
const machine: ReadonlyArray<string> = [
  "  # This machine, until there is a service.",
  ...Services.machine.map(({ name, type }) => `  ${name}: { type: ${type} }`)
]

const isDatabase = (service: Services.KnownService): boolean => service.name === "database"

/** What `holter backup` does by itself, written down so that it can be changed. */
const backup = (hasDatabase: boolean): ReadonlyArray<string> => [
  "# Backups of the database: `holter backup create`, from a crontab.",
  "backup:",
  hasDatabase ? '  url: "${DATABASE_URL}"' : "  # url: sqlite:///data/bot.db",
  '  directory: "${HOLTER_BACKUP_DIR:-backups}"',
  "  keep: 7          # the last ones; daily, weekly, monthly, yearly keep older ones beside them",
  "  compress: gzip   # or zstd (Node 22.15 and newer), or none",
  "  # stores:        # off-site copies: a directory of another disk or machine, mounted here",
  "  #   - { type: directory, path: /mnt/backups }"
]

/** An active entry names only variables that are set: a missing one would be an error. */
const entry = (one: Found): ReadonlyArray<string> => {
  const active = isActive(one)
  const lines = Object.entries(one.service.variables)
    // Where the API lies is only set to test against another server.
    .filter(([field]) => (active ? one.fields.includes(field) : field !== "apiUrl"))
    .map(([field, variable]) => `  ${field}: "\${${variable}}"`)
  return [`${one.service.name}:`, `  type: ${one.service.type}`, ...lines].map((line) =>
    active ? `  ${line}` : `  # ${line}`
  )
}
