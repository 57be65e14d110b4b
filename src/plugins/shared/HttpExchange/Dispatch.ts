/**
 * One request over one connection, as undici calls back about it.
 *
 * @internal
 */
import type { Clock } from "effect"
import { Effect } from "effect"
import type { Dispatcher } from "undici"
import * as Host from "../../../Common/Host.js"
import { monotonicMillis } from "../../../Common/Monotonic.js"
import { hostOf, type Outgoing, Reply, rounded } from "./Exchange.js"
import * as HttpFault from "./HttpFault.js"
import { Line, type Pool } from "./Pool.js"

type Answer = Effect.Effect<Reply, HttpFault.HttpFault>

export interface Waiting {
  readonly resume: (answer: Answer) => void
  /** The same over a new connection, where the one that was kept has gone meanwhile. */
  readonly anew: () => Answer
}

export class Dispatch implements Dispatcher.DispatchHandler {
  private readonly chunks: Array<Uint8Array> = []
  private length = 0
  private status = 0
  private headers: Reply["headers"] = {}
  private firstByteAt = 0
  private settled = false

  constructor(
    private readonly asked: {
      readonly request: Outgoing
      readonly line: Line
      readonly startedAt: number
    },
    private readonly by: { readonly pool: Pool; readonly clock: Clock.Clock },
    private readonly waiting: Waiting
  ) {}

  start(): void {
    const { body, headers, method, url } = this.asked.request
    const { proxy } = this.asked.line
    const path = `${proxy === undefined ? "" : url.origin}${url.pathname}${url.search}`
    const sent =
      proxy?.authorization === undefined
        ? headers
        : { ...headers, "proxy-authorization": proxy.authorization }
    this.asked.line.dispatch({ path, method, headers: sent, body: body ?? null }, this)
  }

  /** Nobody waits any longer. */
  abandon(): void {
    if (this.settled) return
    this.settled = true
    this.by.pool.drop(this.asked.line)
  }

  // undici asks for it: its presence tells that these are the callbacks of version 7.
  onRequestStart(): void {}

  onResponseStart(_: unknown, status: number, headers: Reply["headers"]): void {
    if (status < 200) return
    const { proxy } = this.asked.line
    if (status === 407 && proxy !== undefined && !this.settled) {
      return this.fail(
        HttpFault.refusedByProxy(hostOf(this.asked.request.url), Host.address(proxy))
      )
    }
    this.status = status
    this.headers = headers
    this.firstByteAt = monotonicMillis(this.by.clock)
  }

  onResponseData(_: unknown, chunk: Uint8Array): void {
    if (this.settled) return
    const { cut, maxBytes, url } = this.asked.request
    const room = maxBytes - this.length
    this.length += chunk.length
    if (chunk.length <= room) this.chunks.push(chunk)
    else if (cut) this.cutAt(chunk.subarray(0, room))
    else this.fail(HttpFault.tooLarge(hostOf(url), maxBytes))
  }

  onResponseEnd(): void {
    if (this.settled) return
    this.settled = true
    const reply = this.reply()
    this.by.pool.giveBack(this.asked.line)
    this.waiting.resume(Effect.succeed(reply))
  }

  onResponseError(_: unknown, error: Error): void {
    if (this.settled) return
    const fault = HttpFault.fromUnknown(error, hostOf(this.asked.request.url))
    if (error === Line.gone || this.wasClosedBetween(fault)) {
      this.settled = true
      this.waiting.resume(this.waiting.anew())
    } else {
      this.fail(this.asked.line.asksForCertificate ? HttpFault.uncertified(fault) : fault)
    }
  }

  /**
   * Whether a kept connection was closed at the moment in which it was used again: that is no answer to this
   * request, and what changes nothing may be asked once more (RFC 9112, 9.3.1).
   */
  private wasClosedBetween({ reason }: HttpFault.HttpFault): boolean {
    const isKept = this.asked.line.opening === undefined
    const isUnanswered = this.firstByteAt === 0 && (reason === "Closed" || reason === "Reset")
    return isKept && isUnanswered && /^(?:GET|HEAD|OPTIONS)$/.test(this.asked.request.method)
  }

  /** What follows on this connection is of no use to anybody. */
  private cutAt(last: Uint8Array): void {
    this.chunks.push(last)
    const { maxBytes, url } = this.asked.request
    const bodyFault = HttpFault.tooLarge(hostOf(url), maxBytes)
    const reply = this.reply().remarked({ bodyFault })
    this.abandon()
    this.waiting.resume(Effect.succeed(reply))
  }

  private reply(): Reply {
    const { line, startedAt } = this.asked
    const taken = {
      first_byte_ms: rounded(this.firstByteAt - startedAt),
      total_ms: rounded(monotonicMillis(this.by.clock) - startedAt)
    }
    const { opening } = line
    return new Reply(
      this.status,
      this.headers,
      this.chunks,
      opening === undefined ? taken : { ...opening, ...taken },
      opening === undefined ? "reused" : "new",
      line.asksForCertificate ? { asksForCertificate: true } : undefined
    )
  }

  private fail(fault: HttpFault.HttpFault): void {
    this.abandon()
    this.waiting.resume(Effect.fail(fault))
  }
}
