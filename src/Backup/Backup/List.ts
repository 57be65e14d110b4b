/** What there is to restore from. */
import { Effect, Option } from "effect"
import type { BackupError } from "../BackupError.js"
import type { SetAside } from "../BackupStrategy/Strategy.js"
import { judge } from "../DatabaseIdentity.js"
import type { Desk } from "./Options.js"
import type { Listing } from "./Reports.js"

/** The backups are told whether or not a database is at hand. @internal */
export const list = (desk: Desk): Effect.Effect<Listing, BackupError> =>
  Effect.gen(function* () {
    const backups = yield* desk.main.list
    const setAside = yield* Effect.orElseSucceed(
      desk.strategy.setAside,
      (): ReadonlyArray<SetAside> => []
    )
    const database = yield* Effect.option(desk.database)
    const own = backups.filter(
      ({ manifest, parsed }) =>
        parsed.app === desk.slug &&
        Option.exists(manifest, ({ dump }) =>
          Option.match(database, {
            onNone: () => true,
            onSome: (mine) => judge(dump.database, mine) !== "other"
          })
        )
    )
    return { backups, own, setAside }
  }).pipe(Effect.withSpan("Backup.list"))
