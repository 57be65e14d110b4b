/**
 * What is added to what a strategy says of its database: the machine, the name that the operator gave,
 * and what the database is by itself. Backups of two databases may lie in one directory, and must not
 * push each other out.
 */
import { Effect } from "effect"
import * as os from "node:os"
import type { BackupError } from "../BackupError.js"
import type { Strategy } from "../BackupStrategy/Strategy.js"
import type * as Manifest from "../Manifest.js"

/** What the operator and the machine tell. @internal */
export interface Known {
  /** As the operator names it: then it counts for every database. */
  readonly given: string | undefined
  /** The machine's own name, which tells of a database only where its place is one of this machine. */
  readonly host: string | undefined
  readonly label: string | undefined
}

/** The database as the machine and the strategy know it together. @internal */
export const database = (
  strategy: Strategy,
  known: Known
): Effect.Effect<Manifest.Database, BackupError> =>
  Effect.flatMap(strategy.database, (of) => identify(strategy, of, known))

/** The same for one that a strategy has told of; what it says of its identity stays. @internal */
export const identify = (
  strategy: Pick<Strategy, "identity">,
  of: Manifest.Database,
  known: Known
): Effect.Effect<Manifest.Database> =>
  Effect.map(of.identity === undefined ? own(strategy, of) : Effect.succeed(of.identity), (own) => {
    const identity = known.label === undefined ? own : { ...own, label: known.label }
    return { ...withHost(of, known), ...(identity === undefined ? {} : { identity }) }
  })

const own = (strategy: Pick<Strategy, "identity">, { location, name }: Manifest.Database) =>
  strategy.identity ?? Effect.succeed({ id: `${location}/${name}` })

/** @internal */
export const withHost = (
  database: Manifest.Database,
  { given, host }: Omit<Known, "label">
): Manifest.Database => {
  const machine = given ?? (isOfOneMachine(database.location) ? host : undefined)
  return machine === undefined || database.host !== undefined
    ? database
    : { ...database, host: machine }
}

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
