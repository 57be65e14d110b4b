/**
 * What pg_dump, pg_restore and psql inherit of the environment: what finds libraries, certificates, tickets
 * and files, and nothing of what a program keeps there besides, such as the tokens of its services.
 *
 * @internal
 */
import { Config, Effect, Option } from "effect"

export const inherited: Effect.Effect<Readonly<Record<string, string>>> = Effect.suspend(() =>
  Effect.map(
    Effect.forEach(names, (name) =>
      Effect.map(Effect.option(Config.string(name)), (value) => [name, value] as const)
    ),
    (found) =>
      Object.fromEntries(
        found.flatMap(([name, value]) => (Option.isSome(value) ? [[name, value.value]] : []))
      )
  )
)

/** Beside the system's, those by which libpq is told what a URL cannot say. */
const names = [
  "PATH",
  "HOME",
  "USER",
  "LOGNAME",
  "LANG",
  "TZ",
  "TMPDIR",
  "LD_LIBRARY_PATH",
  "DYLD_LIBRARY_PATH",
  "SSL_CERT_DIR",
  "SSL_CERT_FILE",
  "OPENSSL_CONF",
  "KRB5CCNAME",
  "KRB5_CONFIG",
  "KRB5_KTNAME",
  "PGUSER",
  "PGPASSWORD",
  "PGPASSFILE",
  "PGSYSCONFDIR",
  "PGSSLCERT",
  "PGSSLKEY",
  "PGSSLROOTCERT",
  "PGSSLCRL",
  "PGSSLCRLDIR",
  "PGSSLSNI",
  "PGKRBSRVNAME",
  "PGGSSLIB",
  "PGGSSENCMODE",
  "PGCHANNELBINDING",
  "PGREQUIREPEER",
  "PGREQUIREAUTH",
  "PGSSLMINPROTOCOLVERSION",
  "PGSSLMAXPROTOCOLVERSION"
] as const
