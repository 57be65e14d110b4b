/**
 * The configuration file: found, read, parsed, and its `${VARIABLES}` filled in.
 */
import { FileSystem } from "@effect/platform/FileSystem"
import { Path } from "@effect/platform/Path"
import { Effect, Either, Option } from "effect"
import type { YAMLError } from "yaml"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as Secrets from "../Common/Secrets.js"
import { ConfigurationError, UsageError } from "./ConfigurationError.js"
import * as Environment from "./Environment.js"
import * as TextFile from "./TextFile.js"
import { tooDeep, tooMuch } from "./YamlLimits.js"

export interface ConfigFile {
  readonly path: string
  /** The document, with variables filled in. */
  readonly content: unknown
  /** Variables that cannot be filled in: they stand in `content` as they are written. */
  readonly issues: ReadonlyArray<ConfigIssue>
  /** Where a value is a variable and nothing else: it may have been meant as a number. */
  readonly interpolated: ReadonlySet<string>
  /** Values that must not be shown, by the names of their variables or of their keys. */
  readonly secrets: ReadonlyArray<string>
}

export const names = ["holter.config.yaml", "holter.config.yml", "holter.config.json"] as const

/** The file that the flag, `HOLTER_CONFIG` or the working directory names; none is fine. */
export const load = Effect.fn("ConfigFile.load")(function* (flag: Option.Option<string>) {
  const place = yield* locate(flag)
  if (Option.isNone(place)) return Option.none<ConfigFile>()
  const { path } = place.value
  const document = yield* parse(path, yield* readText(place.value))
  const filled = yield* interpolate(document, [])
  return Option.some<ConfigFile>({
    path,
    content: filled.value,
    issues: filled.issues,
    interpolated: new Set(filled.interpolated),
    secrets: filled.secrets
  })
})

interface Place {
  readonly path: string
  /** The flag or the variable that names the file, else the name that was looked for. */
  readonly namedBy: string
}

const locate = (flag: Option.Option<string>) =>
  Effect.gen(function* () {
    const path = yield* Path
    const place = (file: string, namedBy: string): Place => ({ path: path.resolve(file), namedBy })
    if (Option.isSome(flag)) {
      if (flag.value !== "") return Option.some(place(flag.value, "--config"))
      // `--config "$CONFIG"` where the variable is missing.
      const expected = "the path of a configuration file"
      return yield* new UsageError({ flag: "--config", expected, found: "an empty string" })
    }
    const variable = yield* Environment.read("HOLTER_CONFIG").pipe(
      Effect.mapError((issue) => new ConfigurationError({ source: "environment", issues: [issue] }))
    )
    if (Option.isSome(variable)) return Option.some(place(variable.value, "HOLTER_CONFIG"))
    const fs = yield* FileSystem
    return yield* Effect.findFirst(
      names.map((name) => place(name, name)),
      (candidate) => Effect.orElseSucceed(fs.exists(candidate.path), () => false)
    )
  })

const readText = ({ namedBy, path }: Place) =>
  Effect.gen(function* () {
    const text = yield* Effect.mapError(TextFile.read(path), (error) => {
      const reason = error._tag === "SystemError" ? error.reason : error._tag
      const found =
        error._tag === "NoText"
          ? error.found
          : (unreadable[reason] ?? `something else (${reason}: ${error.message})`)
      const expected = `a configuration file that can be read, of ${TextFile.mostBytes} bytes at most`
      return wrong(path, { path: [namedBy], expected, found })
    })
    return text.includes("\0")
      ? yield* wrong(path, { path: [namedBy], expected: "a text file", found: "binary data" })
      : text
  })

const unreadable: Readonly<Record<string, string>> = {
  NotFound: "no such file",
  PermissionDenied: "a file that this user may not read",
  BadResource: "a path that leads to no file"
}

/** YAML 1.2 includes JSON. The library is loaded only when there is a file. */
const parse = (path: string, text: string): Effect.Effect<unknown, ConfigurationError> =>
  Effect.gen(function* () {
    const yaml = yield* Effect.promise(() => import("yaml"))
    const lines = new yaml.LineCounter()
    const deep = tooDeep(text)
    if (deep !== undefined) return yield* wrong(path, deep)
    const endless = () =>
      wrong(path, { path: [], expected: "valid YAML", found: "values inside values without end" })
    const document = yield* Effect.try({
      // Pretty errors quote the line that is wrong, which may hold a secret.
      try: () => yaml.parseDocument(text, { prettyErrors: false, lineCounter: lines }),
      // The library goes down into them by recursion.
      catch: endless
    })
    const issues = [...document.errors, ...document.warnings].map((error) => {
      const { col, line } = lines.linePos(error.pos[0])
      const rest = text.slice(error.pos[0])
      return { path: [`line ${line}, column ${col}`], ...inWords(error, rest) }
    })
    if (issues.length > 0) return yield* new ConfigurationError({ source: path, issues })
    const content = yield* Effect.try({
      try: (): unknown => document.toJS({ maxAliasCount: 100 }) ?? {},
      catch: (error) => {
        if (error instanceof RangeError) return endless()
        const found =
          error instanceof Error && error.message.startsWith("Unresolved")
            ? "an alias (*name) of an anchor (&name) that does not stand before it"
            : "too many aliases"
        return wrong(path, { path: [], expected: "valid YAML", found })
      }
    })
    const issue = tooMuch(content)
    return issue === undefined ? content : yield* wrong(path, issue)
  })

/**
 * What is wrong, without the text that some messages of the library end with. `rest` is the file
 * from the place on; of it no more is shown than a key that stands twice, if it looks like one.
 */
const inWords = ({ code, message }: YAMLError, rest: string) => {
  if (code === "DUPLICATE_KEY") {
    const key = /^["']?([\w.-]{1,40})["']?\s*:/.exec(rest)?.[1]
    return {
      expected: "every key once (two checks need two names)",
      found: key === undefined ? "one that stood before" : `"${key}" a second time`
    }
  }
  if (code === "MULTIPLE_DOCS") {
    return { expected: "valid YAML of one document", found: "another document after ---" }
  }
  const found =
    code === "BAD_DQ_ESCAPE"
      ? "an escape sequence that is none (write \\\\ for a backslash)"
      : message.replace(/:.*/s, "")
  return { expected: "valid YAML", found }
}

const wrong = (source: string, issue: ConfigIssue) =>
  new ConfigurationError({ source, issues: [issue] })

interface Filled {
  readonly value: unknown
  readonly issues: ReadonlyArray<ConfigIssue>
  readonly interpolated: ReadonlyArray<string>
  readonly secrets: ReadonlyArray<string>
}

const interpolate = (
  value: unknown,
  path: ReadonlyArray<string>,
  around: ReadonlyArray<object> = []
): Effect.Effect<Filled, never, FileSystem> => {
  if (typeof value === "string") return interpolateText(value, path)
  if (typeof value !== "object" || value === null) {
    return Effect.succeed({ value, issues: [], interpolated: [], secrets: [] })
  }
  if (around.includes(value)) {
    const issue = { path, expected: "a value", found: "an alias of what the value itself is in" }
    return Effect.succeed({ value: null, issues: [issue], interpolated: [], secrets: [] })
  }
  return Effect.map(
    Effect.forEach(Object.entries(value), ([key, child]) =>
      Effect.map(interpolate(child, [...path, key], [...around, value]), (filled) => ({
        key,
        filled
      }))
    ),
    (children) => ({
      value: Array.isArray(value)
        ? children.map(({ filled }) => filled.value)
        : Object.fromEntries(children.map(({ filled, key }) => [key, filled.value])),
      issues: children.flatMap(({ filled }) => filled.issues),
      interpolated: children.flatMap(({ filled }) => filled.interpolated),
      secrets: children.flatMap(({ filled }) => filled.secrets)
    })
  )
}

/** `$${`, or a reference with what closes it. */
const pattern = /\$\$\{|\$\{([^}]*)(\}?)/g

const interpolateText = (
  text: string,
  path: ReadonlyArray<string>
): Effect.Effect<Filled, never, FileSystem> =>
  Effect.gen(function* () {
    const matches = [...text.matchAll(pattern)]
    const parts = yield* Effect.forEach(matches, ([whole, inner = "", end]) =>
      whole === "$${"
        ? Effect.succeed(Either.right({ value: "${", secret: false }))
        : // Without its end it is no name, which the message for all others says best.
          Effect.either(reference(end === "}" ? inner : "", path))
    )
    let index = 0
    const value = text.replace(pattern, (whole) =>
      Either.match(parts[index++] ?? Either.right({ value: whole, secret: false }), {
        onLeft: () => whole,
        onRight: (part) => part.value
      })
    )
    const isSecret = Secrets.isSecretName(path.at(-1) ?? "")
    return {
      value,
      issues: parts.flatMap((part) => (Either.isLeft(part) ? [part.left] : [])),
      interpolated: matches[0]?.[0] === text ? [path.join("\0")] : [],
      secrets: [
        ...(isSecret ? [value] : []),
        ...parts.flatMap((part) =>
          Either.isRight(part) && part.right.secret ? [part.right.value] : []
        )
      ]
    }
  })

const reference = (inner: string, path: ReadonlyArray<string>) =>
  Effect.gen(function* () {
    const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s.exec(inner)
    const name = match?.[1]
    if (name === undefined) {
      return yield* Effect.fail({
        path,
        expected: "${NAME} or ${NAME:-default} (write $${ for a plain ${)",
        found: "a ${...} that is neither"
      })
    }
    const value = yield* Effect.mapError(Environment.read(name), (issue) => ({
      ...issue,
      path: [...path, ...issue.path]
    }))
    const text = Option.getOrElse(value, () => match?.[2])
    if (text === undefined) {
      return yield* Effect.fail({
        path,
        expected: `the environment variable ${name} (or ${name}_FILE) to be set, or a default: \${${name}:-...}`,
        found: "nothing"
      })
    }
    return { value: text, secret: Secrets.isSecretName(name) && Option.isSome(value) }
  })
