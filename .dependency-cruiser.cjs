// Who may import whom: the table of docs/design.md, section 2, as data, and the rules made from it.
// test/architecture/imports.test.ts plants a breach of each rule and expects the report.

const contracts = ["effect", "@effect/platform"]
const storage = [...contracts, "@effect/sql"]
const drivers = [
  "pg",
  "ioredis",
  "undici",
  "better-sqlite3",
  "@effect/sql-pg",
  "@effect/sql-sqlite-node"
]
const readable = ["Common", "Plugin", "Check", "Alert", "Monitor", "Backup", "Lifecycle"]

/**
 * `at` is a regular expression under src/. A row names the folders (beside its own) and the packages
 * that the place may import. `node`: also Node's modules, which the contracts do without, so that
 * they run wherever Effect does.
 */
const table = [
  { name: "common", at: "Common/", folders: [], packages: ["effect"] },
  // What of Node several folders need: sockets and names.
  { name: "system", at: "System/", folders: ["Common"], packages: ["effect"], node: true },
  {
    name: "postgres",
    at: "Postgres/",
    folders: ["Common", "System"],
    packages: ["effect", "pg"],
    node: true
  },
  { name: "plugin", at: "Plugin/", folders: ["Common"], packages: ["effect"] },
  { name: "check", at: "Check/", folders: ["Common", "Plugin"], packages: contracts },
  { name: "alert", at: "Alert/", folders: ["Common", "Plugin", "Check"], packages: contracts },
  {
    name: "monitor",
    at: "Monitor/",
    folders: ["Common", "System", "Plugin", "Check", "Alert"],
    packages: storage
  },
  {
    name: "backup",
    at: "Backup/(?!BackupStrategy/|BackupStore/)",
    folders: ["Common", "System"],
    packages: storage,
    node: true
  },
  {
    name: "backup-backends",
    at: "Backup/(?:BackupStrategy|BackupStore)/",
    folders: ["Common", "Plugin", "Backup", "Postgres", "System"],
    packages: [...storage, ...drivers],
    node: true
  },
  { name: "lifecycle", at: "Lifecycle/", folders: ["Common"], packages: storage, node: true },
  { name: "status", at: "Status/", folders: readable, packages: contracts, node: true },
  {
    name: "plugins-shared",
    at: "plugins/shared/",
    folders: ["Common", "Plugin", "Check", "System", "plugins"],
    packages: [...storage, ...drivers],
    node: true
  },
  {
    name: "backup-freshness",
    at: "plugins/BackupFreshness[./]",
    folders: ["Common", "Plugin", "Check", "Alert", "Backup", "plugins"],
    packages: storage,
    node: true
  },
  {
    name: "plugins",
    at: "plugins/(?!shared/|BackupFreshness[./])",
    folders: ["Common", "Plugin", "Check", "Alert", "Postgres", "System", "plugins"],
    packages: [...storage, ...drivers],
    node: true
  },
  { name: "holter", at: "Holter/", folders: readable, packages: contracts },
  { name: "front-door", at: "Holter\\.ts$", folders: ["Holter"], packages: [] },
  {
    name: "testing",
    at: "testing/",
    folders: [...readable, "Holter"],
    packages: storage,
    node: true
  },
  // The CLI is the composition root: any folder but testing, any package that Holter brings along.
  {
    name: "cli-journal",
    at: "Cli/Journal/",
    folders: [...readable, "Postgres"],
    node: true
  },
  {
    name: "cli",
    at: "Cli/(?!Journal/)",
    folders: [...readable, "Holter", "Holter.ts", "Status", "plugins"],
    node: true
  },
  {
    name: "main",
    at: "Main\\.ts$",
    folders: ["Common", "Cli", "Lifecycle"],
    packages: [...contracts, "@effect/platform-node"],
    node: true
  },
  {
    name: "index",
    at: "index\\.ts$",
    folders: [...readable, "Holter.ts", "Status"],
    packages: ["effect"]
  },
  { name: "other-places", at: "", folders: [], packages: [] }
]

const inModules = "(?:^|/)node_modules/"
const oneOf = (names) => (names.length === 0 ? "(?!)" : `(?:${names.join("|")})`)
/** A folder, or a file that stands beside the folders. */
const placeOf = (name) => (name.endsWith(".ts") ? `${name.slice(0, -3)}\\.ts$` : `${name}/`)
const earlier = (row) => table.slice(0, table.indexOf(row)).map(({ at }) => `^src/${at}`)

const rulesOf = (row) => {
  const from =
    row.name === "other-places"
      ? { path: "^src/", pathNot: earlier(row) }
      : { path: `^src/${row.at}` }
  const own = /^([A-Za-z]+)\//.exec(row.at)?.slice(1) ?? []
  const rule = (kind, to) => ({ name: `${row.name}-${kind}`, severity: "error", from, to })
  return [
    rule("folders", {
      path: "^src/",
      pathNot: `^src/${oneOf([...own, ...row.folders].map(placeOf))}`
    }),
    ...(row.packages === undefined
      ? []
      : [rule("packages", { path: inModules, pathNot: `${inModules}${oneOf(row.packages)}/` })]),
    ...(row.node === true ? [] : [rule("node", { dependencyTypes: ["core"] })])
  ]
}

module.exports = {
  forbidden: [
    ...table.flatMap(rulesOf),
    {
      name: "sibling-plugin",
      comment:
        "A plugin is src/plugins/X.ts, src/plugins/X/ or both. What several need is in shared.",
      severity: "error",
      from: { path: "^src/plugins/([^/.]+)[./]" },
      to: { path: "^src/plugins/", pathNot: "^src/plugins/(?:$1[./]|shared/)" }
    },
    {
      name: "store-backend",
      comment:
        "What backups do with a store is written above ObjectStore; only the face knows backends.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/Backup/BackupStore[./]" },
      to: { path: "^src/Backup/BackupStore/" }
    },
    {
      name: "run-main",
      comment: "Main is the only file in src that runs a program; index hands runMain to bots.",
      severity: "error",
      from: { path: "^src/", pathNot: "^src/(?:Main|index)\\.ts$" },
      to: { path: "^src/Lifecycle/runMain\\.ts$" }
    },
    {
      name: "outside-src",
      comment: "The package holds src only: tests, benchmarks and scripts are not shipped.",
      severity: "error",
      from: { path: "^src/" },
      to: { pathNot: ["^src/", inModules], dependencyTypesNot: ["core"], couldNotResolve: false }
    },
    {
      name: "not-installed",
      comment: "What is only a dev dependency (vitest, @effect/vitest) is missing at the user's.",
      severity: "error",
      from: { path: "^src/" },
      to: { path: inModules, dependencyTypesNot: ["npm", "npm-peer"] }
    },
    { name: "cycle", severity: "error", from: {}, to: { circular: true } },
    { name: "unresolvable", severity: "error", from: {}, to: { couldNotResolve: true } }
  ],
  options: {
    doNotFollow: { path: inModules },
    // Types count: a contract that names another folder's type depends on that folder.
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
      mainFields: ["module", "main", "types"]
    },
    combinedDependencies: true
  }
}
