/**
 * `holter maintenance stop`: ends maintenances that were begun by hand, or takes services out of them.
 */
import * as Command from "@effect/cli/Command"
import { Clock, Effect } from "effect"
import { Journal } from "../../Monitor/Journal.js"
import { configFlag } from "../Flags.js"
import { exitCodes, Output } from "../Output.js"
import * as ReaderZone from "../ReaderZone.js"
import * as JournalRun from "./JournalRun.js"
import * as Maintenances from "./Maintenances.js"
import * as RequestPage from "./RequestPage.js"
import * as Watched from "./Watched.js"
import * as WhomFlags from "./WhomFlags.js"

export const command = Command.make(
  "stop",
  {
    ...WhomFlags.whomFlags("Everything that was begun by hand"),
    config: configFlag
  },
  (flags) => stop(flags)
).pipe(
  Command.withDescription(
    "End what holter maintenance start began, or take these services out of it; windows of the configuration end at their time"
  )
)

interface Flags extends JournalRun.Asked, WhomFlags.WhomFlags {}

const stop = (flags: Flags) =>
  Effect.zipRight(
    WhomFlags.whomOf("maintenance stop", flags),
    JournalRun.withJournal(flags, exitCodes.failed, () => end(flags))
  )

const end = ({ config, services }: Flags) =>
  Effect.gen(function* () {
    const { look, note } = yield* Output
    const zone = yield* ReaderZone.load(config)
    const known = yield* Watched.known("maintenance stop", services)
    const { byHand, windows } = yield* Maintenances.open
    const isMeant = ({ services: own }: Maintenances.Maintenance) =>
      services.length === 0 || (own ?? services).some((service) => services.includes(service))
    const meant = byHand.filter(isMeant)
    const others = windows.filter(isMeant)
    if (meant.length === 0) {
      yield* note(RequestPage.noMaintenance(services, others, zone))
      return yield* JournalRun.failed
    }
    const changed = meant.map((maintenance) => ({
      maintenance,
      rest: services.length === 0 ? [] : Maintenances.without(maintenance, services, known)
    }))
    yield* Effect.forEach(changed, leave, { discard: true })
    yield* JournalRun.page([
      ...RequestPage.unmaintained(changed, others, look, zone),
      ...RequestPage.taking(yield* Watched.seemsToRun, look)
    ])
  })

const leave = ({
  maintenance,
  rest
}: {
  readonly maintenance: Maintenances.Maintenance
  readonly rest: ReadonlyArray<string>
}) =>
  Effect.gen(function* () {
    const { request } = yield* Journal
    const at = yield* Clock.currentTimeMillis
    const { id, until, why } = maintenance
    yield* request(
      rest.length === 0
        ? { _tag: "MaintenanceEnded", at, id }
        : { _tag: "MaintenanceStarted", at, id, services: rest, until, why }
    )
  })
