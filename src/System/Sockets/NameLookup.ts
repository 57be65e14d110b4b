/**
 * The addresses of a host: what getaddrinfo says, without its threads.
 *
 * A program has four threads for files, compression and getaddrinfo together, of which look-ups get
 * two; a name whose server is silent holds one of them for up to half a minute, and the end of the
 * program waits for it. So name servers are asked here, by the rules of the system: /etc/hosts, search
 * domains, ndots, both families. Only what another source may know (mDNS, a directory, another
 * platform's own) is asked of getaddrinfo: each name once at a time, and never in the way of others.
 *
 * @internal
 */
import { Duration, Effect, Fiber, Option } from "effect"
import * as dns from "node:dns"
import { isIP } from "node:net"
import * as os from "node:os"
import * as Errors from "../../Common/Errors.js"
import * as Host from "../../Common/Host.js"
import * as InTurn from "../InTurn.js"
import * as NameServers from "../NameServers.js"
import { SocketError } from "./SocketError.js"
import * as SystemNames from "./SystemNames.js"

export type Addresses = readonly [string, ...Array<string>]

type Look<A> = Effect.Effect<A, SocketError>

/** A name that is looked up already is not looked up twice: both wait for the same answer. */
export const lookUp = (host: string, limit: Duration.DurationInput): Look<Addresses> =>
  Effect.suspend(() => {
    const name = Host.ascii(host).toLowerCase()
    const known = isIP(name) > 0 ? [name] : byFile(name)
    if (isSome(known)) return Effect.succeed(known)
    return Effect.timeoutFail(shared(name), {
      duration: limit,
      onTimeout: () => silent(name, limit)
    })
  })

const isSome = (addresses: ReadonlyArray<string> | undefined): addresses is Addresses =>
  addresses !== undefined && addresses.length > 0

const silent = (name: string, limit: Duration.DurationInput): SocketError => {
  const who = sources().first === "system" ? "the system" : resolvConf.current.servers.join(", ")
  return new SocketError({
    phase: "name look-up",
    code: "ETIMEOUT",
    problem: `name look-up of ${name}: no answer from ${who} within ${Duration.format(Duration.decode(limit))}`
  })
}

interface Shared {
  readonly fiber: Fiber.Fiber<Addresses, SocketError>
  waiting: number
}

const underWay = new Map<string, Shared>()

const shared = (name: string): Look<Addresses> =>
  Effect.acquireUseRelease(
    Effect.gen(function* () {
      const found = underWay.get(name)
      if (found !== undefined) {
        found.waiting++
        return found
      }
      const done = Effect.sync(() => underWay.delete(name))
      const fiber = yield* Effect.forkDaemon(
        Effect.interruptible(Effect.ensuring(find(name), done))
      )
      const started: Shared = { fiber, waiting: 1 }
      underWay.set(name, started)
      return started
    }),
    ({ fiber }) => Fiber.join(fiber),
    (look) =>
      Effect.suspend(() => {
        look.waiting--
        return look.waiting > 0 ? Effect.void : Fiber.interruptFork(look.fiber)
      })
  )

const hostsFile = new SystemNames.Parsed("/etc/hosts", SystemNames.parseHosts)
const resolvConf = new SystemNames.Parsed("/etc/resolv.conf", (text) =>
  SystemNames.parseResolvConf(text, os.hostname())
)
const nsswitch = new SystemNames.Parsed("/etc/nsswitch.conf", (text) => text)

const sources = (): SystemNames.Sources =>
  process.platform === "linux"
    ? SystemNames.parseSources(nsswitch.current, resolvConf.current.servers)
    : { first: "system", others: true, multicast: true }

/** What needs no question: a line of /etc/hosts, and the names that RFC 6761 keeps for themselves. */
const byFile = (name: string): ReadonlyArray<string> | undefined => {
  const bare = name.replace(/\.$/, "")
  const listed = hostsFile.current.get(bare)
  if (listed !== undefined) return listed
  return /(?:^|\.)localhost$/.test(bare) ? ["127.0.0.1", "::1"] : undefined
}

const find = (name: string): Look<Addresses> =>
  Effect.suspend(() => {
    const { first, multicast, others } = sources()
    if (/(?:^|\.)invalid\.?$/.test(name)) return Effect.fail(unknown(name))
    if (multicast && /\.local\.?$/.test(name)) return bySystem(name)
    if (first === "dns") {
      return Effect.catchIf(
        byServers(name),
        ({ code }) => others && code === "ENOTFOUND",
        (denied) =>
          Effect.mapError(
            Effect.timeoutFail(bySystem(name), {
              duration: "2 seconds",
              onTimeout: () => denied
            }),
            () => denied
          )
      )
    }
    // Where getaddrinfo has no thread left, a name server may still tell.
    return InTurn.first([bySystem(name), byServers(name)], (one) => one, "1 second").pipe(
      Effect.mapError((errors) => errors[0] ?? unknown(name))
    )
  })

const unknown = (name: string, by?: string): SocketError =>
  new SocketError({
    phase: "name look-up",
    code: "ENOTFOUND",
    problem: `name look-up of ${name}: there is no such name${by === undefined ? "" : `, says ${by}`}`
  })

/** getaddrinfo cannot be called off: who asks again while it runs gets the same answer. */
const asking = new Map<string, Promise<ReadonlyArray<string>>>()

/** More would only wait for a thread, and keep other work from it. */
const mostAsking = 4

const bySystem = (name: string): Look<Addresses> =>
  Effect.suspend(() => {
    const outstanding = asking.get(name)
    if (outstanding === undefined && asking.size >= mostAsking) {
      const problem = `name look-up of ${name}: the system's look-up is busy with names that do not answer`
      return Effect.fail(new SocketError({ phase: "name look-up", code: "EAI_AGAIN", problem }))
    }
    const answer = outstanding ?? getaddrinfo(name)
    asking.set(name, answer)
    return Effect.tryPromise({
      try: () => answer,
      catch: (cause) =>
        new SocketError({
          phase: "name look-up",
          code: Errors.codeOf(cause) ?? "EAI_FAIL",
          problem: `name look-up of ${name}: the system says ${Errors.codeOf(cause) ?? "no reason"}`,
          cause
        })
    }).pipe(Effect.filterOrFail(isSome, () => unknown(name, "the system")))
  })

const getaddrinfo = (name: string): Promise<ReadonlyArray<string>> =>
  dns.promises
    .lookup(name, { all: true, verbatim: true })
    .then((found) => found.map(({ address }) => address))
    .finally(() => asking.delete(name))

const manners = new NameServers.Manners(Duration.seconds(30))
let turn = 0

/** Long enough for a server nearby to be asked again, short enough for the next one to have time. */
const step = Duration.seconds(1)

const byServers = (name: string): Look<Addresses> =>
  Effect.gen(function* () {
    const conf = resolvConf.current
    const asNext = conf.rotate ? turn++ % conf.servers.length : 0
    const rotated = [...conf.servers.slice(asNext), ...conf.servers.slice(0, asNext)]
    const timeout = Duration.seconds(conf.timeoutSeconds)
    let problem: SocketError | undefined
    let denied: string | undefined
    for (const candidate of SystemNames.candidates(name, conf)) {
      const servers = yield* manners.inOrder(rotated)
      const options = { servers, rounds: conf.attempts, timeout, step: Duration.min(step, timeout) }
      const answer = yield* Effect.either(NameServers.ask(options, bothFamilies(candidate)))
      if (answer._tag === "Left") {
        yield* manners.learn(answer.left)
        problem ??= unanswered(candidate, answer.left)
        // A name server that says nothing says nothing of the next name either.
        if (answer.left.refusals.every(({ said }) => said === "no answer")) break
        continue
      }
      yield* manners.learn(answer.right)
      const { server, value } = answer.right
      if (isSome(value)) return value
      denied = server
    }
    return yield* problem ?? unknown(name, denied)
  })

const unanswered = (name: string, { refusals }: NameServers.Unanswered): SocketError =>
  new SocketError({
    phase: "name look-up",
    code: "EAI_AGAIN",
    problem: `name look-up of ${name}: ${NameServers.told(refusals)}`
  })

interface Found {
  readonly addresses: ReadonlyArray<string>
  /** The server gave no answer to this half of the question. */
  readonly fault?: Error
}

/**
 * A and AAAA at once. A server that answers one of them and drops the other, as some do with AAAA,
 * is waited for a moment only.
 */
const bothFamilies =
  (name: string) =>
  (resolver: dns.Resolver): Effect.Effect<ReadonlyArray<string>, Error> => {
    const half = (question: (done: (cause: Error | null, found: Array<string>) => void) => void) =>
      NameServers.asked(question).pipe(
        Effect.map((addresses): Found => ({ addresses })),
        Effect.catchAll((cause) =>
          Effect.succeed<Found>(
            NameServers.isDenial(cause) ? { addresses: [] } : { addresses: [], fault: cause }
          )
        )
      )
    const { v4, v6 } = families()
    const halves = [
      ...(v6 ? [half((done) => resolver.resolve6(name, done))] : []),
      ...(v4 ? [half((done) => resolver.resolve4(name, done))] : [])
    ]
    const [a, b] = halves
    const all =
      a === undefined || b === undefined
        ? Effect.map(Effect.all(halves), (found) => found)
        : Effect.raceWith(a, b, { onSelfDone: other, onOtherDone: other })
    return Effect.flatMap(all, (found) => {
      const addresses = found.flatMap((one) => one.addresses)
      const fault = found.find((one) => one.fault !== undefined)?.fault
      return addresses.length === 0 && fault !== undefined
        ? Effect.fail(fault)
        : Effect.succeed(inOrder(addresses))
    })
  }

const patience = Duration.millis(200)

const other = (
  exit: Effect.Effect<Found>,
  fiber: Fiber.Fiber<Found>
): Effect.Effect<ReadonlyArray<Found>> =>
  Effect.flatMap(exit, (found) =>
    found.addresses.length === 0
      ? Effect.map(Fiber.join(fiber), (second) => [found, second])
      : Effect.flatMap(Effect.timeoutOption(Fiber.join(fiber), patience), (second) =>
          Effect.as(Fiber.interruptFork(fiber), [found, ...Option.toArray(second)])
        )
  )

/** As AI_ADDRCONFIG: a family in which this machine has no address is not asked for. */
const families = (): { readonly v4: boolean; readonly v6: boolean } => {
  const { v4, v6 } = ownFamilies()
  return v4 === v6 ? { v4: true, v6: true } : { v4, v6 }
}

const ownFamilies = () => {
  const own = Object.values(os.networkInterfaces()).flatMap((list) =>
    (list ?? []).filter(({ internal }) => !internal)
  )
  return {
    v4: own.some(({ family }) => family === "IPv4"),
    v6: own.some(({ address, family }) => family === "IPv6" && !/^fe80:/i.test(address)),
    // 2000::/3, from which the rest of the world can be reached.
    global: own.some(({ address }) => /^[23][0-9a-f]{3}:/i.test(address))
  }
}

/** As RFC 6724 in short: the newer family first where this machine has a public address in it. */
const inOrder = (addresses: ReadonlyArray<string>): ReadonlyArray<string> => {
  const v6 = addresses.filter((address) => isIP(address) === 6)
  const v4 = addresses.filter((address) => isIP(address) === 4)
  if (v4.length === 0 || v6.length === 0) return addresses
  return ownFamilies().global ? interleaved(v6, v4) : interleaved(v4, v6)
}

/** By turns, so that one family that leads nowhere does not hold up the other. */
const interleaved = (
  first: ReadonlyArray<string>,
  second: ReadonlyArray<string>
): ReadonlyArray<string> =>
  Array.from({ length: Math.max(first.length, second.length) }, (_, index) =>
    [first[index], second[index]].filter((address) => address !== undefined)
  ).flat()
