/**
 * Questions to name servers, by c-ares: without a thread of libuv's pool, of which a program has four
 * and a name server that is silent holds each for half a minute.
 *
 * @internal
 */
import { Clock, Duration, Effect, Option } from "effect"
import { Resolver } from "node:dns"
import { codeOf } from "../Common/Errors.js"
import * as InTurn from "./InTurn.js"

/** What a server said instead of an answer, in the words of the protocol, or `no answer`. */
export interface Refusal {
  readonly server: string
  readonly said: string
}

/** No server gave an answer. */
export interface Unanswered {
  readonly refusals: ReadonlyArray<Refusal>
}

export interface Answered<A> {
  readonly value: A
  /** Who gave it. */
  readonly server: string
  /** Those who were asked before. */
  readonly refusals: ReadonlyArray<Refusal>
}

export interface Options {
  readonly servers: ReadonlyArray<string>
  /** How often each is asked. */
  readonly rounds: number
  /** How long a server may take. */
  readonly timeout: Duration.Duration
  /** How long one is waited for before the next is asked as well. */
  readonly step: Duration.Duration
}

/** `SERVFAIL` of c-ares' `ESERVFAIL`; in words what is no code of DNS. */
const saidBy = (cause: unknown): string => {
  const code = codeOf(cause) ?? "an error without a code"
  if (code === "ETIMEOUT" || code === "ECANCELLED") return silence
  if (code === "ECONNREFUSED") return "connection refused"
  return code === "EBADRESP" ? "an answer that is not DNS" : code.replace(/^E/, "")
}

export const silence = "no answer"

/** That the name, or a record of the type, does not exist is an answer. */
export const isDenial = (cause: unknown): boolean => denials.has(codeOf(cause) ?? "")

const denials: ReadonlySet<string> = new Set(["ENOTFOUND", "ENODATA", "EBADNAME"])

/**
 * One server after the other. `ask` decides what is an answer; what it fails with is what a server
 * said instead, and the next one is asked.
 */
export const ask = <A>(
  options: Options,
  question: (resolver: Resolver) => Effect.Effect<A, Error>
): Effect.Effect<Answered<A>, Unanswered> =>
  Effect.suspend(() => {
    const refused: Array<Refusal> = []
    const rounds = Array.from({ length: options.rounds }, () => options.servers).flat()
    const isQuiet = new Set<string>()
    const attempt = (server: string) => {
      isQuiet.add(server)
      return askOne(server, options.timeout, question).pipe(
        Effect.ensuring(Effect.sync(() => isQuiet.delete(server))),
        Effect.map((value) => ({ value, server })),
        Effect.tapError((said) => Effect.sync(() => refused.push({ server, said })))
      )
    }
    return InTurn.first(rounds, attempt, options.step).pipe(
      Effect.map((answer) => ({
        ...answer,
        refusals: distinct([
          ...refused,
          ...[...isQuiet].map((server) => ({ server, said: silence }))
        ]).filter(({ server }) => server !== answer.server)
      })),
      Effect.mapError(() => ({ refusals: distinct(refused) }))
    )
  })

/** The last word of each server, in the order in which they were asked. */
const distinct = (refusals: ReadonlyArray<Refusal>): ReadonlyArray<Refusal> => {
  const last = new Map(refusals.map((refusal) => [refusal.server, refusal]))
  return [...last.values()]
}

const askOne = <A>(
  server: string,
  timeout: Duration.Duration,
  question: (resolver: Resolver) => Effect.Effect<A, Error>
): Effect.Effect<A, string> =>
  Effect.acquireUseRelease(
    Effect.try({
      try: () => {
        const millis = Math.max(1, Math.round(Duration.toMillis(timeout)))
        const resolver = new Resolver({ timeout: millis, tries: 1 })
        resolver.setServers([server])
        return resolver
      },
      catch: () => "an address that nothing can be asked at"
    }),
    (resolver) =>
      question(resolver).pipe(
        Effect.mapError(saidBy),
        // c-ares waits longer than it was told to where it thinks that a server is slow.
        Effect.timeoutFail({ duration: timeout, onTimeout: () => silence })
      ),
    // What is still on its way would hold the process open.
    (resolver) => Effect.sync(() => resolver.cancel())
  )

/** A question as Node's callbacks ask it. */
export const asked = <A>(
  question: (done: (cause: Error | null, answer: A) => void) => void
): Effect.Effect<A, Error> =>
  Effect.async((resume) =>
    question((cause, answer) => {
      resume(cause === null ? Effect.succeed(answer) : Effect.fail(cause))
    })
  )

/** `127.0.0.1 answered SERVFAIL, no answer from 127.0.0.2`. */
export const told = (refusals: ReadonlyArray<Refusal>): string =>
  refusals
    .map(({ said, server }) =>
      said === silence ? `no answer from ${server}` : `${server} answered ${said}`
    )
    .join(", ")

/** Servers that were silent a moment ago are asked last. */
export class Manners {
  private readonly silentSince = new Map<string, number>()

  constructor(private readonly patience: Duration.Duration) {}

  inOrder(servers: ReadonlyArray<string>): Effect.Effect<ReadonlyArray<string>> {
    if (this.silentSince.size === 0) return Effect.succeed(servers)
    return Effect.map(Clock.currentTimeNanos, (now) => {
      const bad = servers.filter((server) => this.isSilent(server, now))
      return [...servers.filter((server) => !bad.includes(server)), ...bad]
    })
  }

  learn({
    refusals,
    server
  }: {
    readonly refusals: ReadonlyArray<Refusal>
    readonly server?: string
  }) {
    return Effect.map(Clock.currentTimeNanos, (now) => {
      if (server !== undefined) this.silentSince.delete(server)
      for (const refusal of refusals) {
        if (refusal.said === silence) this.silentSince.set(refusal.server, Number(now))
      }
    })
  }

  private isSilent(server: string, now: bigint): boolean {
    const since = Option.fromNullable(this.silentSince.get(server))
    if (Option.isNone(since)) return false
    if (Number(now) - since.value < Number(Duration.unsafeToNanos(this.patience))) return true
    this.silentSince.delete(server)
    return false
  }
}
