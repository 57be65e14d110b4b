/**
 * The password file of libpq: `host:port:database:user:password`, a line each. The driver reads it as well,
 * and warns on standard error that it will not do so for ever.
 *
 * @internal
 */
import { Config, Effect, Option } from "effect"
import { readFile, stat } from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import type * as DatabaseUrl from "../Common/DatabaseUrl.js"

/** None where there is no such line, or another source goes before it. */
export const password = (
  url: DatabaseUrl.Postgres,
  user: string | undefined
): Effect.Effect<string | undefined> =>
  Effect.gen(function* () {
    const given = yield* Effect.option(Config.nonEmptyString("PGPASSWORD"))
    if (Option.isSome(given)) return given.value
    const named = yield* Effect.option(Config.nonEmptyString("PGPASSFILE"))
    const file =
      url.parameters["passfile"] ??
      Option.getOrElse(named, () => path.join(os.homedir(), ".pgpass"))
    const text = yield* Effect.tryPromise(() => readPrivate(file))
    const database = url.database ?? user ?? ""
    const hosts = url.socketDir === undefined ? [url.host] : [url.host, url.socketDir, "localhost"]
    return find(text, { hosts, port: String(url.port), database, user: user ?? "" })
  }).pipe(Effect.orElseSucceed(() => undefined))

/** As libpq: a file that others may read is none. */
const readPrivate = async (file: string): Promise<string> => {
  const { mode } = await stat(file)
  return (mode & 0o077) === 0 ? readFile(file, "utf8") : ""
}

export interface Wanted {
  readonly hosts: ReadonlyArray<string>
  readonly port: string
  readonly database: string
  readonly user: string
}

/** The first line that matches. A backslash takes the meaning of the next character; a star is any. */
export const find = (text: string, wanted: Wanted): string | undefined => {
  const { database, hosts, port, user } = wanted
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("#")) continue
    const fields = [...line.matchAll(/((?:\\.|[^:\\])*)(?::|$)/g)].map(([, field = ""]) => field)
    const [host = "", atPort = "", ofDatabase = "", ofUser = "", password] = fields
    if (password === undefined) continue
    const matches = (field: string, values: ReadonlyArray<string>) =>
      field === "*" || values.includes(plain(field))
    if (
      matches(host, hosts) &&
      matches(atPort, [port]) &&
      matches(ofDatabase, [database]) &&
      matches(ofUser, [user])
    ) {
      return plain(password)
    }
  }
  return undefined
}

const plain = (field: string): string => field.replaceAll(/\\(.)/g, "$1")
