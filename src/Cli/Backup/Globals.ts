/**
 * Whether `create` can save roles and tablespaces: by the flag, or by the file with a URL of elsewhere.
 */
import { Effect } from "effect"
import { ConfigurationError, type UsageError } from "../ConfigurationError.js"
import { notOfSqlite } from "./BackupFlags.js"
import { noGlobals } from "./BackupSection.js"
import type { BackupSettings } from "./BackupSettings.js"

export const check = (
  { globals }: { readonly globals: boolean },
  settings: Settings
): Effect.Effect<void, UsageError | ConfigurationError> =>
  globals && settings.url?._tag === "Sqlite" ? notOfSqlite("--globals") : checkFile(settings)

export const checkFile = ({
  section,
  source,
  url
}: Settings): Effect.Effect<void, ConfigurationError> =>
  section.globals === true && url?._tag === "Sqlite"
    ? new ConfigurationError({ source, issues: [noGlobals(["backup", "globals"])] })
    : Effect.void

type Settings = Pick<BackupSettings, "section" | "source" | "url">
