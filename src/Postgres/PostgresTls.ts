/**
 * Whom a PostgreSQL connection trusts, by `sslmode`, `sslrootcert`, `sslcert` and `sslkey`.
 *
 * @internal
 */
import { Effect } from "effect"
import { readFile } from "node:fs/promises"
import type { ConnectionOptions } from "node:tls"
import type * as DatabaseUrl from "../Common/DatabaseUrl.js"
import { PostgresError } from "./PostgresError.js"

/**
 * As with libpq, only `verify-ca` and `verify-full` or a root certificate ask who the server is,
 * and only `verify-full` looks at its name. Without `sslrootcert` the public authorities are
 * trusted, and those of NODE_EXTRA_CA_CERTS.
 */
export const options = (
  url: DatabaseUrl.Postgres,
  mode: DatabaseUrl.SslMode,
  address: string
): Effect.Effect<ConnectionOptions, PostgresError> => {
  const { sslcert, sslkey, sslpassword, sslrootcert } = url.parameters
  const file = (name: string, parameter: string, path: string | undefined) =>
    path === undefined || (name === "ca" && path === "system")
      ? Effect.succeed({})
      : Effect.tryPromise({
          try: async () => ({ [name]: await readFile(path, "utf8") }),
          catch: (cause) =>
            new PostgresError({
              reason: "TlsFailed",
              address,
              found: `cannot read the file that ${parameter} names`,
              cause
            })
        })
  return Effect.map(
    Effect.all([
      file("ca", "sslrootcert", sslrootcert),
      file("cert", "sslcert", sslcert),
      file("key", "sslkey", sslkey)
    ]),
    ([ca, cert, key]) => ({
      ...ca,
      ...cert,
      ...key,
      ...(sslpassword === undefined ? {} : { passphrase: sslpassword }),
      rejectUnauthorized: mode.startsWith("verify") || sslrootcert !== undefined,
      ...(mode === "verify-full" ? {} : { checkServerIdentity: () => undefined })
    })
  )
}

/** Why a connection that must be secure is not. */
export const none = (address: string): PostgresError =>
  new PostgresError({ reason: "TlsFailed", address, found: "the server does not take TLS" })
