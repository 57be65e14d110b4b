/**
 * The parameters of a PostgreSQL URL: slips in their names, and those that a connection of Holter's
 * own does not keep.
 *
 * @internal
 */

/** What libpq knows beside what is read above: a slip in one of them would go unnoticed. */
const libpqParameters = [
  "sslmode",
  "sslrootcert",
  "sslcert",
  "sslkey",
  "sslpassword",
  "sslcrl",
  "sslcrldir",
  "sslsni",
  "sslcertmode",
  "sslcompression",
  "sslnegotiation",
  "ssl_min_protocol_version",
  "ssl_max_protocol_version",
  "channel_binding",
  "target_session_attrs",
  "require_auth",
  "requirepeer",
  "requiressl",
  "gssencmode",
  "connect_timeout",
  "application_name"
]

/** The known parameter that is meant by one that differs from it in a letter or two, or in case. */
export const misspelt = (name: string): string | undefined =>
  libpqParameters.includes(name)
    ? undefined
    : libpqParameters.find((known) => isNear(name.toLowerCase(), known))

/** One letter more, less, another, or two exchanged. */
const isNear = (text: string, known: string): boolean => {
  if (text === known) return true
  if (Math.abs(text.length - known.length) > 1) return false
  let start = 0
  while (start < known.length && text[start] === known[start]) start++
  const [rest, others] = [text.slice(start), known.slice(start)]
  return (
    rest.slice(1) === others ||
    rest === others.slice(1) ||
    rest.slice(1) === others.slice(1) ||
    (rest[0] === others[1] && rest[1] === others[0] && rest.slice(2) === others.slice(2))
  )
}

type Asking = readonly [name: string, harmless: ReadonlyArray<string>, advice?: string]

/** The first that asks for what a connection of Holter's own does not keep. */
export const unkept = (parameters: Readonly<Record<string, string>>): Asking | undefined =>
  asking.find(([name, harmless]) => {
    const value = parameters[name]
    return value !== undefined && !harmless.includes(value)
  })

/** The parameters that ask for something, with the values that ask for nothing. */
const asking: ReadonlyArray<Asking> = [
  ["channel_binding", ["prefer", "disable"], "sslmode=verify-full proves who the server is"],
  ["target_session_attrs", ["any"], "writable: true makes a read-only server unhealthy"],
  ["require_auth", []],
  ["requirepeer", []],
  ["requiressl", ["0"], "sslmode=require"],
  ["gssencmode", ["disable", "prefer"]],
  ["sslnegotiation", ["postgres"]],
  ["sslcertmode", ["allow", "disable"]],
  ["sslcrl", []],
  ["sslcrldir", []],
  ["ssl_min_protocol_version", ["TLSv1", "TLSv1.1", "TLSv1.2"]],
  ["ssl_max_protocol_version", ["TLSv1.3"]],
  ["hostaddr", [], "the address as the host"],
  ["passfile", [], "the password in the URL or in a file by DATABASE_URL_FILE"],
  ["service", []],
  ["replication", ["false", "off", "no", "0"]]
]
