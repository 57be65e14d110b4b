/**
 * What a local HTTP server does with a request, well or badly. Plain data, so that the same
 * behaviours drive a server in this process and one in a child process.
 */

export type Behaviour =
  | Respond
  | { readonly _tag: "SlowHeaders"; readonly millis: number; readonly then: Behaviour }
  | { readonly _tag: "Gate"; readonly name: string; readonly then: Behaviour }
  | { readonly _tag: "WithDate"; readonly skewSeconds: number; readonly then: Behaviour }
  | { readonly _tag: "Trickle"; readonly body: string; readonly everyMillis: number }
  | { readonly _tag: "StallBody"; readonly status: number }
  | { readonly _tag: "Endless"; readonly chunkBytes: number }
  | { readonly _tag: "Hang" }
  | { readonly _tag: "Reset" }
  | { readonly _tag: "ResetMidBody" }
  | { readonly _tag: "Truncate" }
  /** Each character one byte (latin1). */
  | { readonly _tag: "Raw"; readonly bytes: string }

export interface Respond {
  readonly _tag: "Respond"
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** A Retry-After header with the date that is this far away when the answer is sent. */
  readonly retryAtSeconds?: number
}

type Headers = Readonly<Record<string, string>>

export const json = (status: number, body: unknown, headers: Headers = {}): Respond => ({
  _tag: "Respond",
  status,
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body)
})

export const text = (status: number, body: string, headers: Headers = {}): Respond => ({
  _tag: "Respond",
  status,
  headers: { "content-type": "text/plain; charset=utf-8", ...headers },
  body
})

/** Says JSON and is none. */
export const badJson = (status = 200): Respond => ({
  _tag: "Respond",
  status,
  headers: { "content-type": "application/json" },
  body: '{"ok": tru'
})

export const redirect = (location: string, status = 302): Respond => ({
  _tag: "Respond",
  status,
  headers: { location },
  body: ""
})

/** 429 with Retry-After in seconds. */
export const tooManyRequests = (seconds: number): Respond =>
  text(429, "Too Many Requests", { "retry-after": String(seconds) })

/** 429 with Retry-After as an HTTP-date. */
export const tooManyRequestsAt = (secondsFromNow: number): Respond => ({
  ...text(429, "Too Many Requests"),
  retryAtSeconds: secondsFromNow
})

export const slowHeaders = (millis: number, then: Behaviour): Behaviour => ({
  _tag: "SlowHeaders",
  millis,
  then
})

/** Nothing until the test opens the gate: the way to be slow without a sleep. */
export const gate = (name: string, then: Behaviour): Behaviour => ({ _tag: "Gate", name, then })

/** A Date header that is off by so much. */
export const withDate = (skewSeconds: number, then: Behaviour): Behaviour => ({
  _tag: "WithDate",
  skewSeconds,
  then
})

/** Headers at once, then a byte at a time. */
export const trickle = (body: string, everyMillis: number): Behaviour => ({
  _tag: "Trickle",
  body,
  everyMillis
})

/** Headers and half of a body, then nothing. */
export const stallBody = (status = 200): Behaviour => ({ _tag: "StallBody", status })

/** A body without end, as fast as the client takes it. */
export const endless = (chunkBytes = 65_536): Behaviour => ({ _tag: "Endless", chunkBytes })

/** Takes the request and never answers. */
export const hang: Behaviour = { _tag: "Hang" }

/** RST instead of an answer. */
export const reset: Behaviour = { _tag: "Reset" }

/** Headers and half of a body, then RST. */
export const resetMidBody: Behaviour = { _tag: "ResetMidBody" }

/** Headers and half of a body, then FIN: less than content-length said. */
export const truncate: Behaviour = { _tag: "Truncate" }

/** These bytes instead of an HTTP answer, then FIN. */
export const raw = (bytes: string): Behaviour => ({ _tag: "Raw", bytes })
