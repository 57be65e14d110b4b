/**
 * Which HTTP proxy a request goes through. Pure.
 *
 * | source | rule |
 * | --- | --- |
 * | `HTTP_PROXY`, `HTTPS_PROXY`, also in small letters | for URLs of that scheme |
 * | `NO_PROXY`, likewise | hosts that are reached directly |
 *
 * The names are those of curl; the small letters count first. This machine itself (`localhost` and loopback
 * addresses) is reached directly, as Go's clients do: who sets a proxy for the way out would otherwise see
 * the services beside him go down.
 *
 * @internal
 */
import { Either } from "effect"
import * as net from "node:net"
import * as Host from "../../Common/Host.js"
import * as UrlText from "../../Common/UrlText.js"

export interface Proxy {
  readonly host: string
  readonly port: number
  /** Whether the proxy itself is spoken to by TLS. */
  readonly isSecure: boolean
  /** The value of `proxy-authorization`. */
  readonly authorization: string | undefined
}

/** Where requests go: directly, or what is wrong with the setting that tells. */
export type Way = Proxy | "direct" | Unusable

export interface Unusable {
  /** The variable. */
  readonly name: string
  readonly found: string
}

/** What was set, by the names of the variables in small letters. */
export interface Variables {
  readonly http_proxy?: string | undefined
  readonly https_proxy?: string | undefined
  readonly no_proxy?: string | undefined
}

export const expected = "the URL of an HTTP proxy such as http://proxy:3128"

/** The URL of a proxy; a host and a port alone are one, too. On the left what was found, never the text. */
export const parse = (text: string): Either.Either<Proxy, string> => {
  const given = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  if (!URL.canParse(given)) return Either.left("something else (not shown)")
  const url = new URL(given)
  if (/^socks/i.test(url.protocol)) return Either.left("a SOCKS proxy, which Holter does not speak")
  const isSecure = url.protocol === "https:"
  if (!isSecure && url.protocol !== "http:") return Either.left("another protocol")
  return Either.right({
    host: Host.unbracketed(url.hostname),
    port: Host.httpPort(url),
    isSecure,
    authorization: UrlText.basic(url)
  })
}

/** By what the environment says. */
export const choose = (variables: Variables, url: URL): Way => {
  const name = url.protocol === "https:" ? "https_proxy" : "http_proxy"
  const text = variables[name]?.trim() ?? ""
  if (text === "" || isHere(url) || isExcepted(variables.no_proxy ?? "", url)) return "direct"
  return Either.getOrElse(parse(text), (found) => ({ name: name.toUpperCase(), found }))
}

const isHere = (url: URL): boolean => {
  const host = Host.unbracketed(url.hostname)
  return /^(?:.*\.)?localhost\.?$/i.test(host) || isWithin("127.0.0.0/8", host) || host === "::1"
}

const isExcepted = (noProxy: string, url: URL): boolean =>
  noProxy
    .split(/[\s,]+/)
    .filter((entry) => entry !== "")
    .some((entry) => covers(entry.toLowerCase(), url))

/** `*`, a name with all below it, an address or a network in CIDR notation; with a port it is for that one. */
const covers = (entry: string, url: URL): boolean => {
  if (entry === "*") return true
  const [, bracketed, plain, port] = /^(?:\[(.+)\]|([^:]+))(?::(\d+))?$/.exec(entry) ?? []
  // An address of IPv6 without brackets has no port.
  const name = bracketed ?? plain ?? entry
  if (port !== undefined && Number(port) !== Host.httpPort(url)) return false
  const host = Host.unbracketed(url.hostname).replace(/\.$/, "")
  if (net.isIP(host) > 0) return isWithin(name.includes("/") ? name : `${name}/all`, host)
  const written = name.replace(/^\*?\./, "").replace(/\.$/, "")
  const domain = Host.ascii(written) || written
  return host === domain || host.endsWith(`.${domain}`)
}

const isWithin = (network: string, address: string): boolean => {
  const [start = "", bits = ""] = network.split("/")
  const family = net.isIP(start)
  if (family === 0 || family !== net.isIP(address)) return false
  const longest = family === 4 ? 32 : 128
  const length = bits === "all" ? longest : /^\d+$/.test(bits) ? Number(bits) : longest + 1
  if (length > longest) return false
  const type = family === 4 ? "ipv4" : "ipv6"
  const list = new net.BlockList()
  list.addSubnet(start, length, type)
  return list.check(address, type)
}
