/**
 * Where a plugin's module lies, seen from the configuration file. `require.resolve` finds files and
 * packages, but not packages that offer `import` only; Node has no stable counterpart for these.
 */
import * as NodeModule from "node:module"
import { join } from "node:path"
import { pathToFileURL } from "node:url"
import { Either, Option, Predicate } from "effect"

/** The file of a plugin; throws where there is none. */
export const resolve = (name: string, configFile: string): string => {
  const require = NodeModule.createRequire(pathToFileURL(configFile))
  return Either.getOrElse(
    Either.try(() => require.resolve(name)),
    (error) => Option.getOrThrowWith(importOnly(name, require), () => error)
  )
}

const importOnly = (name: string, require: NodeJS.Require): Option.Option<string> => {
  const [, packageName, rest] = /^((?:@[^/]+\/)?[^/@.][^/]*)(\/.+)?$/.exec(name) ?? []
  if (packageName === undefined) return Option.none()
  return Option.firstSomeOf(
    (require.resolve.paths(name) ?? []).map((folder) =>
      Option.flatMap(readManifest(join(folder, packageName, "package.json"), require), (exports) =>
        Option.map(target(entry(exports, `.${rest ?? ""}`)), (file) =>
          join(folder, packageName, file)
        )
      )
    )
  )
}

const readManifest = (file: string, require: NodeJS.Require): Option.Option<unknown> =>
  Either.try((): unknown => require(file)).pipe(
    Either.getRight,
    Option.filter(Predicate.isRecord),
    Option.map((manifest) => manifest["exports"])
  )

const entry = (exports: unknown, subpath: string): unknown => {
  const bySubpath =
    Predicate.isRecord(exports) && Object.keys(exports).some((key) => key.startsWith("."))
  if (bySubpath) return exports[subpath]
  return subpath === "." ? exports : undefined
}

const conditions = new Set(["node", "import", "default"])

const target = (value: unknown): Option.Option<string> => {
  if (typeof value === "string") return Option.some(value)
  if (!Predicate.isRecord(value)) return Option.none()
  return Option.firstSomeOf(
    Object.entries(value)
      .filter(([condition]) => conditions.has(condition))
      .map(([, inner]) => target(inner))
  )
}
