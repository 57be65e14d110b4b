/** The import gate reports a breach of every row of docs/design.md, section 2, and nothing else. */
import { afterAll, assert, beforeAll, describe, it } from "@effect/vitest"
import * as path from "node:path"
import { plant, projectRoot, runTool } from "./planted.js"

/** `folder/File -> what it imports`: one line an import. */
const allowed = `
  Common/DatabaseUrl -> effect
  Check/Check -> effect/Effect, @effect/platform/HttpClient, src/Common/DatabaseUrl
  Alert/Alert -> effect, src/Check/Check, src/Common/DatabaseUrl
  Monitor/Journal -> @effect/sql, src/Check/Check, src/Alert/Alert
  Backup/Backup -> @effect/sql, node:fs, src/Common/DatabaseUrl, src/Backup/BackupStrategy/Postgres
  Backup/BackupStrategy/Postgres -> pg, better-sqlite3, src/Postgres/Connection
  Postgres/Connection -> pg, node:net, src/Common/DatabaseUrl
  Backup/BackupStore/S3 -> undici, node:crypto
  Lifecycle/Lifecycle -> @effect/sql, node:worker_threads
  Lifecycle/runMain -> @effect/platform/Runtime
  Status/Server -> node:http, src/Monitor/Journal, src/Backup/Backup, src/Lifecycle/Lifecycle
  plugins/shared/PgClient -> pg, src/Check/Check, src/Common/DatabaseUrl
  Cli/Journal/PostgresClient -> @effect/sql, src/Postgres/Connection, src/Monitor/Journal
  plugins/Database -> @effect/sql, src/Postgres/Connection, src/Check/Check, src/plugins/shared/PgClient, src/plugins/Database/Sqlite
  plugins/Database/Sqlite -> better-sqlite3, src/Alert/Alert
  plugins/BackupFreshness -> src/Backup/Backup, src/Check/Check
  Holter/Watch -> src/Monitor/Journal, src/Backup/Backup, src/Lifecycle/Lifecycle
  testing/index -> effect, src/Check/Check, src/Monitor/Journal
  Cli/Check -> yaml, @effect/platform-node/NodeContext, src/plugins/Database, src/Status/Server
  Main -> src/Common/DatabaseUrl, src/Cli/Check, src/Lifecycle/runMain, @effect/platform-node
  index -> src/Check/Check, src/Lifecycle/runMain
  Cli/CycleTwo -> src/Cli/CycleOne
`

/** The same, with the rules that must report the file. A cycle is reported once, at its first file. */
const forbidden = `
  Common/FromCheck -> src/Check/Check : common-folders
  Common/FromPlatform -> @effect/platform : common-packages
  Common/FromNode -> node:fs : common-node
  Postgres/FromCheck -> src/Check/Check : postgres-folders
  Postgres/FromDriver -> ioredis : postgres-packages
  Backup/FromPostgres -> src/Postgres/Connection : backup-folders
  Cli/FromPostgres -> src/Postgres/Connection : cli-folders
  Check/FromMonitor -> src/Monitor/Journal : check-folders
  Check/FromSql -> @effect/sql : check-packages
  Check/FromNode -> node:fs : check-node
  Alert/FromBackup -> src/Backup/Backup : alert-folders
  Alert/FromDriver -> ioredis : alert-packages
  Monitor/FromStatus -> src/Status/Server : monitor-folders
  Monitor/FromDriver -> pg : monitor-packages
  Backup/FromCheck -> src/Check/Check : backup-folders
  Backup/FromLifecycle -> src/Lifecycle/Lifecycle : backup-folders
  Backup/FromDriver -> better-sqlite3 : backup-packages
  Backup/FromStore -> src/Backup/BackupStore/S3 : store-backend
  Backup/BackupStrategy/FromCheck -> src/Check/Check : backup-backends-folders
  Backup/BackupStore/FromCli -> @effect/cli : backup-backends-packages
  Lifecycle/FromBackup -> src/Backup/Backup : lifecycle-folders
  Lifecycle/FromRuntime -> @effect/platform-node : lifecycle-packages
  Status/FromPlugin -> src/plugins/Database : status-folders
  Status/FromSql -> @effect/sql : status-packages
  plugins/FromMonitor -> src/Monitor/Journal : plugins-folders
  plugins/FromBackup -> src/Backup/Backup : plugins-folders
  plugins/FromCli -> @effect/cli : plugins-packages
  plugins/FromSibling -> src/plugins/Database : sibling-plugin
  plugins/Folder/FromSibling -> src/plugins/Database/Sqlite : sibling-plugin
  plugins/DatabaseOther -> src/plugins/Database : sibling-plugin
  plugins/shared/FromPlugin -> src/plugins/Database : sibling-plugin
  plugins/shared/FromAlert -> src/Alert/Alert : plugins-shared-folders
  Holter/FromPlugin -> src/plugins/Database : holter-folders
  Holter/FromDriver -> pg : holter-packages
  testing/FromPlugin -> src/plugins/Database : testing-folders
  testing/FromRunner -> vitest : testing-packages, not-installed
  Cli/FromTesting -> src/testing/index : cli-folders
  Cli/FromRunner -> @effect/vitest : not-installed
  Cli/FromRunMain -> src/Lifecycle/runMain : run-main
  Cli/FromTest -> test/support/Server : outside-src
  Cli/Missing -> src/Check/Nowhere : unresolvable
  Cli/MissingPackage -> left-pad : unresolvable
  Cli/CycleOne -> src/Cli/CycleTwo : cycle
  Check/TypeFromSql -> effect, @effect/sql : check-packages
  Alert/TypeFromBackup -> effect, src/Backup/Backup : alert-folders
  Other/Place -> src/Check/Check : other-places-folders
`

interface Line {
  readonly file: string
  readonly imports: ReadonlyArray<string>
  readonly rules: ReadonlyArray<string>
}

const parse = (text: string): ReadonlyArray<Line> =>
  text
    .trim()
    .split("\n")
    .map((line) => {
      const [file = "", rest = ""] = line.trim().split(" -> ")
      const [imports = "", rules = ""] = rest.split(" : ")
      return {
        file: `src/${file}.ts`,
        imports: imports.split(", "),
        rules: rules === "" ? [] : rules.split(", ")
      }
    })

const specifier = (file: string, target: string): string => {
  if (!/^(src|test)\//.test(target)) return target
  const relative = path.relative(path.dirname(file), `${target}.js`)
  return relative.startsWith(".") ? relative : `./${relative}`
}

const source = ({ file, imports }: Line): string =>
  // Every second one as a type: the gate must count those too.
  imports
    .map((target, index) =>
      index % 2 === 0
        ? `import * as M${index} from "${specifier(file, target)}"\nexport { M${index} }\n`
        : `export type M${index} = typeof import("${specifier(file, target)}")\n`
    )
    .join("")

interface Cruise {
  readonly summary: {
    readonly violations: ReadonlyArray<{
      readonly from: string
      readonly rule: { readonly name: string }
    }>
  }
}

describe("import direction", () => {
  const lines = [...parse(allowed), ...parse(forbidden)]
  const planted = plant({
    "test/support/Server.ts": "export {}\n",
    ...Object.fromEntries(lines.map((line) => [line.file, source(line)]))
  })
  afterAll(planted.remove)

  const reported = new Map<string, Set<string>>()
  beforeAll(async () => {
    const config = path.join(projectRoot, ".dependency-cruiser.cjs")
    const { stdout } = await runTool(planted.root, "depcruise", ["-c", config, "-T", "json", "src"])
    for (const { from, rule } of (JSON.parse(stdout) as Cruise).summary.violations) {
      reported.set(from, (reported.get(from) ?? new Set()).add(rule.name))
    }
  })

  it.each(lines)("$file: $imports", ({ file, rules }) => {
    assert.deepStrictEqual([...(reported.get(file) ?? [])].sort(), [...rules].sort())
  })
})
