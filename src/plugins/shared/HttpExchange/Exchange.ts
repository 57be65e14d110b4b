/**
 * One request and its one bounded reply, as values.
 *
 * @internal
 */
import { type Effect, Either } from "effect"
import { TextDecoder } from "node:util"
import type { HttpFault } from "./HttpFault.js"

export interface Request {
  readonly method: string
  /** `http:` or `https:`. A user and a password in it are sent as Basic authentication. */
  readonly url: string | URL
  readonly headers?: Headers
  readonly body?: string | undefined
  /** A longer body is a fault. 1 MiB by default. */
  readonly maxBytes?: number | undefined
  /**
   * Whether there is a reply also where the body is longer or cannot be unpacked: it is cut there, and
   * `bodyFault` says why. Who asks judges the status first.
   */
  readonly cut?: boolean | undefined
  /** How many redirects to follow; none by default. */
  readonly redirects?: number | undefined
}

export type Headers = Readonly<Record<string, string>>

export const defaultMaxBytes = 1_048_576

/** Milliseconds. What is not known, or did not happen on a kept connection, is absent. */
export interface Timings {
  readonly dns_ms?: number
  readonly connect_ms?: number
  readonly tls_ms?: number
  /** From the start of the request, the connection included, to the headers. */
  readonly first_byte_ms: number
  readonly total_ms: number
}

export type Connection = "new" | "reused"

export interface Remarks {
  /** Redirects that were followed on the way here. */
  readonly redirects?: number
  /** Why the body is not whole, where `cut` allowed that. */
  readonly bodyFault?: HttpFault
  /** This redirect was not followed: the body would have gone to another host. */
  readonly keptBody?: boolean
  /** The server asked for a client certificate, and was shown none. */
  readonly asksForCertificate?: boolean
}

/** A reply with its whole body, unless `bodyFault` says otherwise. */
export class Reply {
  constructor(
    readonly status: number,
    readonly headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>,
    private readonly chunks: ReadonlyArray<Uint8Array>,
    readonly timings: Timings,
    /** Absent where the client does not say. */
    readonly connection: Connection | undefined,
    private readonly remarks: Remarks = {}
  ) {}

  get redirects(): number {
    return this.remarks.redirects ?? 0
  }

  get bodyFault(): HttpFault | undefined {
    return this.remarks.bodyFault
  }

  get asksForCertificate(): boolean {
    return this.remarks.asksForCertificate === true
  }

  get keptBody(): boolean {
    return this.remarks.keptBody === true
  }

  remarked(remarks: Remarks, chunks = this.chunks): Reply {
    return new Reply(this.status, this.headers, chunks, this.timings, this.connection, {
      ...this.remarks,
      ...remarks
    })
  }

  /** This reply as the answer to an exchange that had an earlier reply: both took their time. */
  after(earlier: Reply): Reply {
    const timings = {
      ...this.timings,
      first_byte_ms: rounded(earlier.timings.total_ms + this.timings.first_byte_ms),
      total_ms: rounded(earlier.timings.total_ms + this.timings.total_ms)
    }
    return new Reply(this.status, this.headers, this.chunks, timings, this.connection, {
      ...this.remarks,
      redirects: this.redirects + 1
    })
  }

  /**
   * Whether the server may have done what it was asked for, though it says that it failed. 503 is what
   * one answers that does not begin.
   */
  get isUnclear(): boolean {
    return this.status >= 500 && this.status !== 503
  }

  /** A header by its lower-case name. */
  header(name: string): string | undefined {
    const value = this.headers[name]
    return typeof value === "string" ? value : value?.join(", ")
  }

  get bytes(): Uint8Array {
    return this.chunks.length === 1 && this.chunks[0] !== undefined
      ? this.chunks[0]
      : Buffer.concat(this.chunks)
  }

  /** The body in the character set that it starts with or that its type names; UTF-8 otherwise. */
  get text(): string {
    const { bytes } = this
    return decoderFor(bytes, this.header("content-type")).decode(bytes)
  }
}

/** Without the mark of byte order, which JSON does not know. */
const decoderFor = (bytes: Uint8Array, type: string | undefined): TextDecoder => {
  const [first, second] = bytes
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le")
  if (first === 0xfe && second === 0xff) return new TextDecoder("utf-16be")
  if (first === 0xef && second === 0xbb) return new TextDecoder()
  const label = /;\s*charset\s*=\s*"?([^\s";]+)/i.exec(type ?? "")?.[1] ?? "utf-8"
  return Either.getOrElse(
    Either.try(() => new TextDecoder(label)),
    () => new TextDecoder()
  )
}

/** Sends one request to a URL without user information. */
export type Send = (request: Outgoing) => Effect.Effect<Reply, HttpFault>

export interface Outgoing {
  readonly method: string
  readonly url: URL
  readonly headers: Headers
  readonly body: string | undefined
  readonly maxBytes: number
  readonly cut: boolean
}

/** Two decimals: finer is noise. */
export const rounded = (millis: number): number => Math.round(millis * 100) / 100

/** What a fault shows of a URL. */
export const hostOf = (url: URL): string =>
  url.port === "" ? `${url.hostname}:${url.protocol === "https:" ? 443 : 80}` : url.host
