/**
 * Bundles the command line for a fast start, and fills V8's code cache by running it once.
 *
 * dist/bin.cjs     a few lines: answers --version, loads the bundle with its code cache
 * dist/cli.cjs     the command line with its plugins; dist/driver-*.cjs: a driver each
 * text.js          in the folders of dist: the programs that the library carries, see programs.mjs
 * dist/*.cache     compiled code for this Node version; rejected and made anew by others
 */
import { execFile } from "node:child_process"
import { createHash } from "node:crypto"
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { maxHeaderSize } from "node:http"
import { isBuiltin } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { build } from "esbuild"
import { notices } from "./licenses.mjs"
import { programs, writePrograms } from "./programs.mjs"

const root = fileURLToPath(new URL("..", import.meta.url))
const dist = join(root, "dist")

const sqliteBinary = "better-sqlite3/build/Release/better_sqlite3.node"

/**
 * Of better-sqlite3 there are two majors that Holter works with, one for Node 20 and one for what
 * came after it: npm takes the newest that says it works with the Node at hand. The bundle has the
 * one that it was built with, and loads another from where it is installed.
 */
const { version: sqliteVersion } = JSON.parse(
  await readFile(join(root, "node_modules/better-sqlite3/package.json"), "utf8")
)

/**
 * Drivers lie in files of their own: a run reads only those that its services need. Of pg and ioredis
 * it takes what is used, and leaves pools and clusters out.
 */
const drivers = {
  pg: { imported: "pg", contents: 'exports.Client = require("pg/lib/client.js")' },
  ioredis: {
    imported: "ioredis",
    contents: `
      exports.Redis = require("ioredis/built/Redis.js").default
      exports.AbstractConnector = require("ioredis/built/connectors/AbstractConnector.js").default
    `
  },
  sqlite: {
    imported: "better-sqlite3",
    contents: `
      const { version } = require("better-sqlite3/package.json")
      module.exports = version === "${sqliteVersion}"
        ? require("better-sqlite3")
        : require("installed:better-sqlite3")
    `
  },
  undici: { imported: "undici/lib/dispatcher/client.js" },
  yaml: { imported: "yaml" }
}

const options = {
  bundle: true,
  platform: "node",
  format: "cjs",
  target: "node20",
  minify: true,
  // What bin.template.cjs calls: written here, the large text need not be copied there.
  banner: { js: "(function (exports, require, module, onUse) {" },
  footer: { js: "})" },
  // V8 scripts have no loader for `import()`; what stays outside is required.
  supported: { "dynamic-import": false },
  logLevel: "warning",
  legalComments: "none",
  // pg looks for the global Response to find out that it runs at Cloudflare; on Node 20 the look
  // alone loads all of Node's own fetch.
  // `import.meta.url` tells where the bundle is, see bin.template.cjs.
  define: {
    "import.meta.url": "module.url",
    "process.env.NODE_ENV": '"production"',
    Response: "undefined"
  }
}

/** Gives the files that are in it. */
const bundle = async () => {
  const { metafile } = await build({
    ...options,
    metafile: true,
    // effect reads the clock of the platform through the global `performance`, for which Node loads
    // a good part of itself; what it falls back to is as good for durations.
    define: { ...options.define, performance: "undefined" },
    entryPoints: [join(root, "src/Main.ts")],
    outfile: join(dist, "cli.cjs"),
    plugins: [programs, oneByOne, withoutUnused, driversApart, onUse]
  })
  const whole = Object.keys(metafile.inputs).find((file) =>
    file.endsWith("/effect/dist/esm/index.js")
  )
  if (whole !== undefined) throw new Error("the bundle has all of effect in it: see oneByOne")
  const inputs = Object.keys(metafile.inputs)
  for (const [name, { contents, imported }] of Object.entries(drivers)) {
    const driver = await build({
      ...options,
      metafile: true,
      stdin: { contents: contents ?? `module.exports = require("${imported}")`, resolveDir: root },
      outfile: join(dist, `driver-${name}.cjs`),
      external: ["pg-native", sqliteBinary, "better-sqlite3/package.json"],
      plugins: [asInstalled, withoutUnused, cryptographyOnUse, onUse, commandsInUse]
    })
    inputs.push(...Object.keys(driver.metafile.inputs))
  }
  return inputs
}

/**
 * `import { Effect } from "effect"` becomes `import * as Effect from "effect/Effect"`: esbuild keeps
 * whatever the index of effect names once a part of the bundle that is loaded on use imports it.
 */
const oneByOne = {
  name: "one-by-one",
  setup: ({ onLoad }) => {
    onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8")
      const contents = text.replaceAll(
        /^import (type )?\{([^}]*)\} from "effect"$/gm,
        (_, allTypes, list) =>
          list
            .split(",")
            .map((item) => item.trim())
            .filter((item) => item !== "")
            .map((item) =>
              importOf(item.replace(/^type /, ""), allTypes || item.startsWith("type "))
            )
            .join("; ")
      )
      return { contents, loader: "ts" }
    })
  }
}

const importOf = (item, isType) => {
  const [name, as = name] = item.split(" as ")
  // What the index names beside its modules are functions: `pipe`, `identity`.
  const what = /^[a-z]/.test(name)
    ? `{ ${item} } from "effect/Function"`
    : `* as ${as} from "effect/${name}"`
  return `import ${isType ? "type " : ""}${what}`
}

const driversApart = {
  name: "drivers-apart",
  setup: ({ onResolve }) => {
    for (const [name, { imported }] of Object.entries(drivers)) {
      const filter = new RegExp(`^${imported.replaceAll(/[./]/g, "\\$&")}$`)
      onResolve({ filter }, () => ({ path: `./driver-${name}.cjs`, external: true }))
    }
  }
}

/**
 * Node compiles its own modules when they are required: a run should pay for those that it uses and
 * not for every one that some module imports. `onUse` is the loader's, see bin.template.cjs.
 */
const onUse = {
  name: "on-use",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /./ }, ({ namespace, path }) =>
      isBuiltin(path) && namespace !== "on-use" ? { path, namespace: "on-use" } : undefined
    )
    onLoad({ filter: /./, namespace: "on-use" }, async ({ path }) => {
      const { default: whole, ...rest } = await import(path)
      // Some modules are themselves a function or a class, which no object can stand in for.
      if (typeof whole === "function") return { contents: `module.exports = require("${path}")` }
      const getters = Object.keys(rest).map((name) => `get ${name}() { return part("${name}") }`)
      return {
        contents: [
          "const own = new Map()",
          `const load = (name) => { own.set(name, onUse("${path}", name)); return own.get(name) }`,
          "const part = (name) => own.has(name) ? own.get(name) : load(name)",
          `module.exports = { ${getters.join(", ")} }`
        ].join("\n")
      }
    })
  }
}

const asInstalled = {
  name: "as-installed",
  setup: ({ onResolve }) => {
    onResolve({ filter: /^installed:/ }, ({ path }) => ({
      path: path.slice("installed:".length),
      external: true
    }))
  }
}

/** The same for pg's cryptography, which is for servers that ask for a password. */
const cryptographyOnUse = {
  name: "cryptography-on-use",
  setup: ({ onLoad, onResolve }) => {
    onResolve({ filter: /\/utils$/ }, ({ importer, path }) => {
      const file = join(dirname(importer), path)
      return file.endsWith("/pg/lib/crypto/utils")
        ? { path: `${file}.js`, namespace: "cryptography" }
        : undefined
    })
    onLoad({ filter: /./, namespace: "cryptography" }, async ({ path }) => {
      const { default: names } = await import(path)
      const getters = Object.keys(names).map((name) => `get ${name}() { return all().${name} }`)
      return {
        contents: `const all = () => require("${path}"); module.exports = { ${getters.join(", ")} }`,
        resolveDir: root
      }
    })
  }
}

/** ioredis makes four functions for each command of Redis: for those that Holter sends, in a bundle. */
const sentCommands = ["auth", "client", "hello", "info", "ping", "quit", "readonly", "select"]
const commandsInUse = {
  name: "commands-in-use",
  setup: ({ onLoad }) => {
    onLoad({ filter: /@ioredis\/commands\/built\/commands\.json$/ }, async ({ path }) => {
      const all = JSON.parse(await readFile(path, "utf8"))
      const sent = Object.fromEntries(sentCommands.map((name) => [name, all[name]]))
      return { contents: JSON.stringify(sent), loader: "json" }
    })
  }
}

/**
 * What is imported and never called here: what a program that embeds Holter brings, its `SqlClient`
 * and its `HttpClient`; fast-check by effect's Schema, for `Arbitrary`; parsers of
 * files by @effect/cli, for options that are read from files; HTTP/2 by undici, which offers it to
 * the server only when it is told to; the search for a compiled binary by better-sqlite3;
 * clusters by ioredis; and all of Node's HTTP by undici, for one number and one class, which it
 * compares bodies of requests with.
 */
const withoutUnused = {
  name: "without-unused",
  setup: ({ onLoad, onResolve }) => {
    const empty = (path) => ({ path, namespace: "empty" })
    onResolve({ filter: /^\.\/HttpExchange\/httpClient\.js$/ }, ({ path }) => empty(path))
    onResolve({ filter: /^@effect\/sql\/SqlClient$/ }, ({ importer, path }) =>
      importer.includes(join("src", "plugins")) ? empty(path) : undefined
    )
    onResolve({ filter: /^fast-check$/ }, ({ path }) => empty(path))
    onResolve({ filter: /^bindings$/ }, ({ path }) => ({ path, namespace: "binary" }))
    onLoad({ filter: /./, namespace: "binary" }, () => ({
      contents: `module.exports = () => require("${sqliteBinary}")`
    }))
    onResolve({ filter: /^\.\/client-h2\.js$/ }, ({ path }) => empty(path))
    onResolve({ filter: /^(yaml|toml|ini)$/ }, ({ importer, path }) =>
      importer.includes("@effect/cli") ? empty(path) : undefined
    )
    onResolve({ filter: /^\.\/cluster$/ }, ({ importer, path }) =>
      importer.endsWith(join("ioredis", "built", "Redis.js")) ? empty(path) : undefined
    )
    onResolve({ filter: /^node:http$/ }, ({ importer, path }) =>
      importer.includes(join("undici", "lib")) ? { path, namespace: "http-defaults" } : undefined
    )
    onLoad({ filter: /./, namespace: "http-defaults" }, () => ({
      contents: `module.exports = { maxHeaderSize: ${maxHeaderSize} }`
    }))
    onLoad({ filter: /.*/, namespace: "empty" }, () => ({ contents: "module.exports = {}" }))
  }
}

const writeBin = async () => {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"))
  const template = await readFile(join(root, "scripts/bin.template.cjs"), "utf8")
  const parts = ["cli.cjs", ...Object.keys(drivers).map((name) => `driver-${name}.cjs`)]
  const digests = await Promise.all(parts.map(async (part) => [part, await digestOf(part)]))
  const bin = template
    .replace("__VERSION__", version)
    .replace("__DIGESTS__", JSON.stringify(Object.fromEntries(digests)))
  await writeFile(join(dist, "bin.cjs"), bin)
  await chmod(join(dist, "bin.cjs"), 0o755)
}

const digestOf = async (part) =>
  createHash("sha256")
    .update(await readFile(join(dist, part)))
    .digest("hex")

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

const inputs = [...(await bundle()), ...(await writePrograms(dist))]
await writeFile(join(dist, "THIRD-PARTY-LICENSES"), await notices(root, inputs))
await writeBin()
await fillCodeCache()
