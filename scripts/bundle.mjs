/**
 * Bundles the command line for a fast start, and fills V8's code cache by running it once.
 *
 * dist/bin.cjs     a few lines: answers --version, loads the bundle with its code cache
 * dist/cli.cjs     the command line with its plugins; dist/driver-*.cjs: a driver each
 * dist/*.cache     compiled code for this Node version; rejected and made anew by others
 */
import { execFile } from "node:child_process"
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { build } from "esbuild"

const root = fileURLToPath(new URL("..", import.meta.url))
const dist = join(root, "dist")

/** Drivers lie in files of their own: a run reads only those that its services need. */
const drivers = {
  pg: "pg",
  ioredis: "ioredis",
  undici: "undici/lib/dispatcher/client.js",
  yaml: "yaml"
}

const options = {
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  minify: true,
  // V8 scripts have no loader for `import()`; what stays outside is required.
  supported: { "dynamic-import": false },
  logLevel: "warning",
  legalComments: "none",
  // pg looks for the global Response to find out that it runs at Cloudflare; on Node 20 the look
  // alone loads all of Node's own fetch.
  define: { "process.env.NODE_ENV": '"production"', Response: "undefined" }
}

const bundle = async () => {
  await build({
    ...options,
    entryPoints: [join(root, "src/Main.ts")],
    outfile: join(dist, "cli.cjs"),
    external: ["better-sqlite3"],
    plugins: [withoutUnused, driversApart]
  })
  for (const [name, entry] of Object.entries(drivers)) {
    await build({
      ...options,
      stdin: { contents: `module.exports = require("${entry}")`, resolveDir: root },
      outfile: join(dist, `driver-${name}.cjs`),
      external: ["pg-native"]
    })
  }
}

const driversApart = {
  name: "drivers-apart",
  setup: ({ onResolve }) => {
    for (const [name, entry] of Object.entries(drivers)) {
      const filter = new RegExp(`^${entry.replaceAll(/[./]/g, "\\$&")}$`)
      onResolve({ filter }, () => ({ path: `./driver-${name}.cjs`, external: true }))
    }
  }
}

/**
 * What is imported and never called here: fast-check by effect's Schema, for `Arbitrary`; parsers of
 * files by @effect/cli, for options that are read from files.
 */
const withoutUnused = {
  name: "without-unused",
  setup: ({ onLoad, onResolve }) => {
    const empty = (path) => ({ path, namespace: "empty" })
    onResolve({ filter: /^fast-check$/ }, ({ path }) => empty(path))
    onResolve({ filter: /^(yaml|toml|ini)$/ }, ({ importer, path }) =>
      importer.includes("@effect/cli") ? empty(path) : undefined
    )
    onLoad({ filter: /.*/, namespace: "empty" }, () => ({ contents: "module.exports = {}" }))
  }
}

const writeBin = async () => {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
  const template = await readFile(join(root, "scripts/bin.template.cjs"), "utf8")
  await writeFile(join(dist, "bin.cjs"), template.replaceAll("__VERSION__", version))
  await chmod(join(dist, "bin.cjs"), 0o755)
}

/** Runs every lazily loaded part once against ports on which nobody listens. */
const fillCodeCache = async () => {
  for (const file of await readdir(dist)) if (file.endsWith(".cache")) await rm(join(dist, file))
  const cwd = await mkdtemp(join(tmpdir(), "holter-build-"))
  await writeFile(
    join(cwd, "holter.config.yaml"),
    [
      "checks:",
      '  website: { type: http, url: "http://127.0.0.1:1/", timeout: 2 seconds }',
      `  other: { type: database, url: "sqlite:///${join(cwd, "other.db")}" }`
    ].join("\n")
  )
  const env = {
    PATH: process.env.PATH,
    DATABASE_URL: "postgresql://holter@127.0.0.1:1/holter",
    REDIS_URL: "redis://127.0.0.1:1/0"
  }
  const bin = join(dist, "bin.cjs")
  await promisify(execFile)(process.execPath, [bin, "check", "--json"], { cwd, env }).catch(
    (error) => {
      // 2 is the answer that nobody listens; anything else is a broken bundle.
      if (error.code !== 2) throw error
    }
  )
  await rm(cwd, { recursive: true })
}

await bundle()
await writeBin()
await fillCodeCache()
