/**
 * What tells a database from that of another machine which has the same name and path: backups of
 * both may lie in one shared directory, and must not push each other out.
 *
 * @since 0.1.0
 */
import { Effect } from "effect"
import * as os from "node:os"
import type { Strategy } from "../BackupStrategy/Strategy.js"
import type * as Manifest from "../Manifest.js"

/** A strategy that names the machine, where the place of its database is one of this machine only. @internal */
export const withHost = (strategy: Strategy, host: string | undefined): Strategy => ({
  ...strategy,
  database: Effect.map(strategy.database, (database) => identify(database, host)),
  dump: (options) =>
    Effect.map(strategy.dump(options), (dump) => ({
      ...dump,
      database: identify(dump.database, host)
    }))
})

/** @internal */
export const identify = (
  database: Manifest.Database,
  host: string | undefined
): Manifest.Database =>
  host === undefined || database.host !== undefined || !isOfOneMachine(database.location)
    ? database
    : { ...database, host }

/** The name of this machine, if it will still be that tomorrow. @internal */
export const hostName: Effect.Effect<string | undefined> = Effect.sync(() =>
  stableName(os.hostname())
)

/**
 * Docker names a container by its number, Kubernetes a pod by random letters: as part of an identity
 * such a name would make each start another machine, whose backups nobody rotates.
 *
 * @internal
 */
export const stableName = (name: string): string | undefined =>
  name === "" || containerNumber.test(name) || podName.test(name) ? undefined : name

const containerNumber = /^[0-9a-f]{12}$/
const podName = /-(?:[bcdfghjklmnpqrstvwxz2456789]{5,10}|\d{8})-[bcdfghjklmnpqrstvwxz2456789]{5}$/

/** A path, a socket, or a server that is reached by the machine's own name for itself. */
const isOfOneMachine = (location: string): boolean =>
  location.startsWith("/") || /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d+)?$/i.test(location)

/** `/srv/bot`, or `/srv/bot on web1`. @internal */
export const placeOf = ({ host, location }: Manifest.Database): string =>
  host === undefined ? location : `${location} on ${host}`
