/**
 * `holter backup restore`: a backup in the place of the database, once somebody has agreed.
 */
import * as Command from "@effect/cli/Command"
import * as CliOptions from "@effect/cli/Options"
import { DateTime, Effect, Option, Ref } from "effect"
import type { Choice, Restored, RestorePlan, Stopped } from "../../Backup/Backup.js"
import { UsageError } from "../ConfigurationError.js"
import { Dialog } from "../Dialog.js"
import { Output } from "../Output.js"
import * as BackupAccess from "./BackupAccess.js"
import * as BackupDocument from "./BackupDocument.js"
import {
  checkLeniency,
  jsonFlag,
  type LeniencyFlags,
  leniencyFlags,
  type PlaceFlags,
  placeFlags
} from "./BackupFlags.js"
import * as BackupRun from "./BackupRun.js"
import * as BackupSettings from "./BackupSettings.js"
import * as BackupPage from "./BackupPage.js"
import * as Progress from "./Progress.js"
import * as RestorePage from "./RestorePage.js"

export const command = Command.make(
  "restore",
  {
    ...placeFlags,
    backupFile: CliOptions.text("backup-file").pipe(
      CliOptions.withDescription("The backup to restore, by its name or its path"),
      CliOptions.optional
    ),
    latest: CliOptions.boolean("latest").pipe(
      CliOptions.withDescription("The newest verified backup of this very database")
    ),
    yes: CliOptions.boolean("yes").pipe(
      CliOptions.withDescription(
        "Restore without asking; needed where there is no terminal to ask on"
      )
    ),
    dryRun: CliOptions.boolean("dry-run").pipe(
      CliOptions.withDescription("Only show the plan: change nothing")
    ),
    allowOther: CliOptions.boolean("allow-other").pipe(
      CliOptions.withDescription(
        "Also a backup of another database, or of one of the same name at another place"
      )
    ),
    replaceDamaged: CliOptions.boolean("replace-damaged").pipe(
      CliOptions.withDescription(
        "Also over a database that is damaged, so that it cannot be saved first: it is moved aside as it is"
      )
    ),
    withJournal: CliOptions.boolean("with-journal").pipe(
      CliOptions.withDescription(
        "Also Holter's own journal (tables holter_*) as the backup has it; without it that of now stays"
      )
    ),
    ...leniencyFlags,
    json: jsonFlag
  },
  (flags) => restore(flags)
).pipe(
  Command.withDescription(
    "Put a backup in the place of the database; what is there now is backed up first"
  )
)

interface Flags extends PlaceFlags, LeniencyFlags {
  readonly backupFile: Option.Option<string>
  readonly latest: boolean
  readonly yes: boolean
  readonly dryRun: boolean
  readonly allowOther: boolean
  readonly replaceDamaged: boolean
  readonly withJournal: boolean
  readonly json: boolean
}

const restore = (flags: Flags) =>
  Effect.gen(function* () {
    const choice = yield* choose(flags)
    if (!flags.yes && !flags.dryRun) yield* somebodyToAsk
    const settings = yield* BackupSettings.load(flags)
    yield* checkLeniency(flags, settings.url)
    const now = yield* DateTime.now
    const asked: Asked = { flags, choice, settings, now }
    const work = flags.dryRun ? showPlan(asked) : carryOut(asked)
    const asking = { json: flags.json, restoreOf: commandOf(flags) }
    yield* BackupRun.reporting(asking, settings)(Effect.scoped(work))
  })

interface Asked {
  readonly flags: Flags
  readonly choice: Choice
  readonly settings: BackupSettings.BackupSettings
  readonly now: DateTime.Utc
  /** In which times are shown. */
}

const showPlan = ({ choice, flags, now, settings }: Asked) =>
  Effect.gen(function* () {
    const { look } = yield* Output
    const backup = yield* BackupAccess.open(settings)
    const plan = yield* Progress.shown(({ onProgress }) =>
      backup.plan(choice, { ...permissions(flags), onProgress })
    )
    yield* flags.json
      ? BackupRun.document(BackupDocument.ofPlan(plan), settings)
      : BackupRun.page(RestorePage.plan(plan, now, look, settings.zone))
  })

/** How far it has come, for the last words where a signal ends it. */
type Course = "before" | "agreed" | "told" | Stopped

const carryOut = (asked: Asked) =>
  Effect.gen(function* () {
    const { flags } = asked
    const course = yield* Ref.make<Course>("before")
    const context = yield* Effect.context<Output>()
    const lastWords = Effect.flatMap(Ref.get(course), (at) => {
      if (at === "agreed" || at === "told") return Effect.void
      return BackupRun.notes(
        at === "before"
          ? ["Interrupted before anything was changed."]
          : RestorePage.interrupted(at, commandOf(flags))
      )
    }).pipe(Effect.provide(context))
    yield* Effect.onInterrupt(restoreAndTell(asked, course), () => lastWords)
  })

const restoreAndTell = (asked: Asked, course: Ref.Ref<Course>) =>
  Effect.gen(function* () {
    const { choice, flags, settings } = asked
    const { look, note } = yield* Output
    const context = yield* Effect.context<Dialog | Output>()
    const backup = yield* BackupAccess.open(settings)
    const restored = yield* Progress.shown(({ clear, onProgress }) =>
      backup
        .restore(choice, {
          ...permissions(flags),
          onProgress,
          confirm: (plan) =>
            (flags.yes
              ? Effect.succeed(true)
              : Effect.zipRight(clear, Effect.provide(agree(plan, asked), context))
            ).pipe(Effect.tap((agreed) => (agreed ? Ref.set(course, "agreed") : Effect.void))),
          // At once: after a kill in the middle of the restore there are no last words.
          onSaved: (name) =>
            Effect.zipRight(clear, note(`The present content is saved as ${name}. Restoring ...`)),
          onInterrupted: (stopped) =>
            Ref.set(course, "told").pipe(
              Effect.zipRight(clear),
              Effect.zipRight(BackupRun.notes(RestorePage.interrupted(stopped, commandOf(flags)))),
              Effect.provide(context)
            )
        })
        .pipe(
          Effect.tap((done) => (done === undefined ? Effect.void : Ref.set(course, endOf(done))))
        )
    )
    if (restored === undefined) {
      if (flags.json) yield* BackupRun.document({ declined: true }, settings)
      yield* BackupRun.notes(["Nothing was changed."])
      return yield* BackupRun.failed
    }
    if (flags.json) {
      return yield* BackupRun.document(BackupDocument.ofRestored(restored), settings)
    }
    yield* BackupRun.notes(BackupPage.warnings(restored.warnings, look))
    yield* BackupRun.page(RestorePage.restored(restored, commandOf(flags), look))
  })

/** A signal that comes while the page is written finds it done. */
const endOf = (restored: Restored): Stopped => ({
  plan: restored,
  outcome: { _tag: "Replaced", setAside: restored.setAside },
  preRestore: restored.preRestore
})

/** With the flags that name the place, as they were given. A URL may hold a password: it is left out. */
const commandOf =
  ({ allowIncomplete, backupDir, config, databaseUrl, noOwner, withJournal }: Flags) =>
  (name: string): string =>
    [
      "holter backup restore --backup-file",
      name,
      ...Option.match(backupDir, {
        onNone: () => [],
        onSome: (dir) => ["--backup-dir", quoted(dir)]
      }),
      ...Option.match(config, { onNone: () => [], onSome: (file) => ["--config", quoted(file)] }),
      ...(Option.isSome(databaseUrl) ? ["--database-url ..."] : []),
      // What could not be made of the one may be in the other as well.
      ...(allowIncomplete ? ["--allow-incomplete"] : []),
      ...(noOwner ? ["--no-owner"] : []),
      // It takes back what this one has replaced.
      ...(withJournal ? ["--with-journal"] : [])
    ].join(" ")

/** As a shell takes it for one word. */
const quoted = (text: string): string =>
  /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`

const permissions = ({
  allowIncomplete,
  allowOther,
  noOwner,
  replaceDamaged,
  withJournal
}: Flags) => ({
  allowIncomplete,
  allowOther,
  noOwner,
  replaceDamaged,
  journal: withJournal ? ("backup" as const) : ("present" as const)
})

const choose = ({ backupFile, latest }: Flags) =>
  latest === Option.isSome(backupFile)
    ? new UsageError({
        flag: "--backup-file",
        expected: "either --backup-file FILE or --latest",
        found: latest ? "both" : "neither"
      })
    : Option.contains(backupFile, "")
      ? new UsageError({ flag: "--backup-file", expected: "a file", found: "an empty string" })
      : Effect.succeed(BackupAccess.choiceOf(backupFile))

/** Before any work: a script that forgot --yes should learn it at once. */
const somebodyToAsk = Effect.gen(function* () {
  const dialog = yield* Dialog
  if (yield* dialog.isOpen) return
  return yield* new UsageError({
    flag: "--yes",
    expected: "a terminal to ask on, or this flag (--dry-run only shows the plan)",
    found: "neither: standard input or standard error is no terminal"
  })
})

const agree = (plan: RestorePlan, { now, settings }: Asked) =>
  Effect.gen(function* () {
    const dialog = yield* Dialog
    const { look } = yield* Output
    yield* BackupRun.notes(RestorePage.plan(plan, now, look, settings.zone))
    const answer = yield* dialog.ask('Type "yes" to restore it: ')
    return answer.trim().toLowerCase() === "yes"
  })
