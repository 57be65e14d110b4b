/** What the front door takes and what it does not. Each line that must not compile is a test. */
import { Config, Effect, Layer } from "effect"
import type { Outbox } from "../../src/Alert/Outbox.js"
import type * as CheckRegistry from "../../src/Check/CheckRegistry.js"
import * as Holter from "../../src/Holter.js"
import { Lifecycle } from "../../src/Lifecycle/Lifecycle.js"
import * as Journal from "../../src/Monitor/Journal.js"
import * as ScriptedCheck from "../../src/testing/ScriptedCheck.js"

const checks = ScriptedCheck.layer([ScriptedCheck.healthy()])

// @ts-expect-error -- a layer that pings nobody is no dead man's switch
export const silent = Holter.layer({ checks, deadMan: Layer.empty })

export const undefinedLimits = Holter.layer({ checks, policy: { groupWindow: undefined } })

declare const journal: Layer.Layer<Journal.Journal | Outbox, Journal.JournalError | Error>
export const databaseOfItsOwn: Layer.Layer<
  Holter.Services,
  Holter.Failure | Journal.JournalError | Layer.Layer.Error<typeof checks>,
  Lifecycle
> = Holter.layer({
  checks,
  journal,
  onJournalLost: () => Effect.zipRight(Config.string("WHO"), Effect.asVoid(Lifecycle))
})

declare const needy: Layer.Layer<CheckRegistry.Registered, never, Journal.Journal>
// @ts-expect-error -- checks are built before what they could ask of the journal is there for them
export const asksTheJournal: Layer.Layer<Holter.Services, Holter.Failure, Lifecycle> = Holter.layer(
  { checks: needy }
)

export const undefinedHolder = Journal.layer({ holder: undefined, retain: undefined })
