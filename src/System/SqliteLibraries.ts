/**
 * The copies of better-sqlite3 in this program. Closing any descriptor of a file drops all POSIX locks that
 * the process has on it, so SQLite keeps count of those that it has open. Two copies do not count
 * together: one that closes a database takes the locks of the other away.
 *
 * @internal
 */
import { Effect, Either, Option, Predicate, Ref } from "effect"
import * as NodeModule from "node:module"
import { join } from "node:path"

interface Copy {
  readonly folder: string
  readonly version: string | undefined
}

/** Those whose code has been loaded, by whichever module. */
const loaded: Effect.Effect<ReadonlyArray<Copy>> = Effect.sync(() => {
  const require = NodeModule.createRequire(place())
  const folders = Object.keys(require.cache).flatMap(
    (file) => /^.*[/\\]node_modules[/\\]better-sqlite3(?=[/\\])/.exec(file) ?? []
  )
  return [...new Set(folders)].map((folder) => {
    const manifest = Either.try((): unknown => require(join(folder, "package.json")))
    const version = Option.filter(
      Option.flatMap(Either.getRight(manifest), (found) =>
        Predicate.hasProperty(found, "version") ? Option.some(found.version) : Option.none()
      ),
      Predicate.isString
    )
    return { folder, version: Option.getOrUndefined(version) }
  })
})

/** Node's cache is one for all modules, and this only a way to it. CommonJS has no `import.meta.url`. */
const place = (): string => (typeof __filename === "string" ? __filename : import.meta.url)

/**
 * To be run when a database is open: warns once where a second copy has been loaded by then. `otherwise`
 * is what keeps Holter's own copy from that file.
 */
export const warning = (otherwise: string): Effect.Effect<Effect.Effect<void>> =>
  Effect.map(Ref.make(false), (warned) =>
    Effect.flatMap(loaded, ([own, ...others]) =>
      own === undefined || others.length === 0
        ? Effect.void
        : Effect.asVoid(
            Effect.unlessEffect(
              Effect.logWarning(text([own, ...others], otherwise)),
              Ref.getAndSet(warned, true)
            )
          )
    )
  )

const text = (copies: ReadonlyArray<Copy>, otherwise: string): string => {
  const named = copies.map(({ folder, version }) => `${version ?? "?"} in ${folder}`)
  // The older is what the others take as well: Holter takes either.
  const [oldest] = copies.flatMap(({ version }) => version ?? []).toSorted(byNumber)
  return `Two copies of better-sqlite3 are loaded in this program: ${named.join(" and ")}. Where both open one file, each drops the other's locks on it. Either ${otherwise}, or install one copy: npm install better-sqlite3@${oldest ?? "12"}`
}

const byNumber = (one: string, other: string): number =>
  one.localeCompare(other, "en", { numeric: true })
