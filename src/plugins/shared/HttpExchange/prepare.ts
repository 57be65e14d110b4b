/**
 * The request as it goes out: lower-case headers, no user in the URL.
 *
 * @internal
 */
import * as UrlText from "../../../Common/UrlText.js"
import { defaultMaxBytes, type Headers, type Outgoing, type Request } from "./Exchange.js"
import { HttpFault } from "./HttpFault.js"

export const prepare = (request: Request): Outgoing | HttpFault => {
  const url = typeof request.url === "string" ? parseOnce(request.url) : request.url
  if (url === undefined || (url.protocol !== "http:" && url.protocol !== "https:")) {
    return new HttpFault({
      host: "request",
      reason: "Unsendable",
      problem: "the URL is not an http:// or https:// URL",
      isRetryable: false
    })
  }
  const headers = { "user-agent": "holter", ...lowerCased(request.headers) }
  return {
    method: request.method,
    body: request.body,
    maxBytes: request.maxBytes ?? defaultMaxBytes,
    cut: request.cut ?? false,
    ...withoutUser(url, headers)
  }
}

export const parse = (text: string, base?: URL): URL | undefined =>
  URL.canParse(text, base?.href) ? new URL(text, base) : undefined

/** Checks ask for the same few URLs again and again. */
const parseOnce = (text: string): URL | undefined => {
  const known = parsed.get(text)
  if (known !== undefined) return known
  const url = parse(text)
  if (parsed.size >= mostParsed) parsed.clear()
  if (url !== undefined) parsed.set(text, url)
  return url
}

const parsed = new Map<string, URL>()
const mostParsed = 256

const lowerCased = (headers: Headers | undefined): Headers => {
  const lower: Record<string, string> = {}
  for (const name in headers) {
    const value = headers[name]
    if (value !== undefined) lower[name.toLowerCase()] = value
  }
  return lower
}

export const withoutUser = (url: URL, headers: Headers): { url: URL; headers: Headers } => {
  const authorization = UrlText.basic(url)
  if (authorization === undefined) return { url, headers }
  const bare = new URL(url)
  bare.username = ""
  bare.password = ""
  return { url: bare, headers: { authorization, ...headers } }
}
