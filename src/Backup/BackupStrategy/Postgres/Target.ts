/**
 * The database that a strategy works for, and how it may work.
 *
 * @internal
 */
import type { Duration } from "effect"
import type * as DatabaseUrl from "../../../Common/DatabaseUrl.js"
import * as Secrets from "../../../Common/Secrets.js"

export interface Target {
  readonly url: DatabaseUrl.Postgres
  /** For messages: no user, no password. */
  readonly address: string
  readonly secrets: Secrets.Secrets
  readonly jobs: number
  readonly level: number
  /** How long to wait for locks that others hold on tables. */
  readonly lockWait: Duration.Duration
  readonly acquireTimeout: Duration.Duration
  /** Where pg_dump and its kind are looked for, instead of the usual places. */
  readonly toolDirectories: ReadonlyArray<string> | undefined
}
