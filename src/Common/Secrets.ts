/**
 * Values that must not be seen, and how to take them out of a text.
 *
 * A secret leaks in more forms than the one it was typed in: percent-encoded in a URL, escaped in
 * JSON or HTML, as base64 in a header. `scrub` finds each of these, also where some characters are
 * escaped and others are not, JSON inside JSON, and base64 inside a URL or JSON. It does not find what was
 * encoded one way and then another (percent-encoded JSON, HTML twice), or base64 that was broken into
 * lines.
 */
import { Encoding, Redacted } from "effect"

/**
 * Shorter values are not scrubbed: they stand by chance in ordinary words, and a text full of
 * holes helps nobody.
 */
const shortestSecret = 6

/** What stands where a secret stood. */
export const placeholder = "<redacted>"

export interface Secrets {
  readonly values: ReadonlySet<string>
  /** The text with every form of every secret replaced by `<redacted>`. */
  readonly scrub: (text: string) => string
  /** The same for every string inside a value; keys and structure stay. */
  readonly scrubAll: <A>(value: A) => A
}

export const make = (values: Iterable<string>): Secrets => {
  const kept = new Set<string>()
  for (const value of values) {
    // A value with a stray newline leaks in its trimmed form just as well.
    const trimmed = value.trim()
    if (trimmed.length >= shortestSecret) kept.add(value).add(trimmed)
  }
  if (kept.size === 0) return none
  // Longest first: a password that is part of a longer secret must not leave the rest standing.
  const forms = [...kept]
    .sort((a, b) => b.length - a.length)
    .flatMap((value) => [
      { pattern: escapedForms(value), words: wordsOf(value) },
      ...base64Cores(value).map((core) => ({
        pattern: eitherAlphabet(core),
        words: wordsOf(core)
      }))
    ])
  // Nearly every text is clean, and to compile the pattern costs more than to start a program: it
  // is made for the first text that may hold a secret.
  let compiled: RegExp | undefined
  const scrub = (text: string): string => {
    const mayHold = escapedWord.test(text) || forms.some(({ words }) => includesAll(text, words))
    if (!mayHold) return text
    compiled ??= new RegExp(forms.map(({ pattern }) => pattern).join("|"), "gu")
    return text.replace(compiled, placeholder)
  }
  return { values: kept, scrub, scrubAll: (value) => mapStrings(value, scrub) }
}

/** No secrets: texts stay as they are. */
export const none: Secrets = {
  values: new Set(),
  scrub: (text) => text,
  scrubAll: (value) => value
}

/**
 * Every secret inside a configuration: each `Redacted` string, the password and the secret parameters
 * of each URL, redacted or not, and the path of an HTTP URL that is redacted.
 */
export const fromConfig = (config: unknown): Secrets => make(collect(config))

export const merge = (...all: ReadonlyArray<Secrets>): Secrets =>
  make(all.flatMap((secrets) => [...secrets.values]))

/**
 * Whether what has this name is a secret: a variable, a key of a configuration, a parameter of a
 * URL, in any of the usual spellings (`BOT_TOKEN`, `apiKey`, `client-secret`, `dbpassword`).
 *
 * Where a name leaves it open it is one (`publicKey`): a hole in a text does less harm than a leak.
 * `DMARKET_SECRET_KEY` is one, `keep` is none.
 */
export const isSecretName = (name: string): boolean =>
  secretName.test(name) && !workingDirectory.test(name)

const secretName =
  /token|secret|key|passw|passphrase|passcode|credential|dsn|signature|authori[sz]ation|cookie|bearer|jwt|pwd|(?<!by|com)pass(?:$|[^a-z])|(?:^|[^a-z])(?:sig|auth)$/i

/** What every shell sets, and every path would be full of holes. */
const workingDirectory = /^(?:OLD)?PWD$/

/**
 * Whether a text has the form of a key or a token that a service hands out, whatever it stands in: by
 * the prefix that it has there, or because no person would make up such a name.
 * `123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw` is one, `-1001234567890` is none.
 */
export const looksLikeToken = (text: string): boolean =>
  tokens.some((pattern) => pattern.test(text)) ||
  (text.match(/[\w+/=.~-]{28,}/g) ?? []).some((run) => /[A-Z]/.test(run) && isRandom(run)) ||
  (text.match(/[A-Za-z0-9]{16,}/g) ?? []).some(isRandom)

const tokens: ReadonlyArray<RegExp> = [
  /(?:^|[^\d])\d{3,}:[\w-]{10,}/,
  /(?:^|[^A-Za-z])(?:[a-z]{2}_(?:live|test)_|sk-|gh[a-z]_|github_pat_|glpat-|xox[a-z]-|whsec_|npm_|pypi-|hf_|dop_v1_|shp[a-z]{2}_|AKIA|ASIA|AIza|SG\.|ya29\.|eyJ)[\w.-]{6,}/,
  /(?:^|[^0-9a-f])[0-9a-f]{32,}/i,
  /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i
]

/** Letters and digits that take turns: in words and numbers they do so rarely. */
const isRandom = (text: string): boolean => {
  const kinds = [...text].map((char) => (/\d/.test(char) ? "0" : /[A-Z]/.test(char) ? "A" : "a"))
  const turns = kinds.filter((kind, index) => index > 0 && kind !== kinds[index - 1]).length
  return kinds.includes("0") && turns * 4 >= text.length && new Set(text).size >= 10
}

/** The values that `fromConfig` scrubs. */
export const collect = (config: unknown): ReadonlyArray<string> => {
  const seen = new Set<object>()
  const go = (value: unknown): ReadonlyArray<string> => {
    if (typeof value === "string") return urlSecrets(value)
    if (!isRecord(value) || seen.has(value)) return []
    seen.add(value)
    if (Redacted.isRedacted(value)) {
      const secret = Redacted.value(value)
      return typeof secret === "string"
        ? [secret, ...urlSecrets(secret), ...pathSecrets(secret)]
        : go(secret)
    }
    if (value instanceof Map) return [...value].flatMap(go)
    if (value instanceof Set) return [...value].flatMap(go)
    return Object.values(value).flatMap(go)
  }
  return go(config)
}

const urlSecrets = (text: string): ReadonlyArray<string> =>
  [...authoritySecrets(text), ...namedSecrets(text)].flatMap((value) => [
    value,
    decodeLoosely(value)
  ])

/**
 * By hand and not by `URL`, which refuses what people write: here the password of a URL that does not
 * parse must be found too, of one in quotation marks, and of one whose scheme is not right.
 */
const authoritySecrets = (text: string): ReadonlyArray<string> => {
  const scheme = /[a-z][a-z0-9+.-]*\s*:\/\//i.exec(text)
  // `postgres//u:password@h`, `u:password@h`.
  const rest = scheme === null ? text : text.slice(scheme.index + scheme[0].length)
  if (scheme === null && !/^\S*:\S*@\S/.test(rest.trim())) return []
  const isWeb = scheme !== null && /^(?:https?|wss?)\s*:/i.test(scheme[0])
  // The last @ before the path ends the user information; a password with a bare slash or @ in it is
  // found by looking up to the last @ of the whole text.
  const ends = [rest.split(/[/?#]/, 1)[0]?.lastIndexOf("@") ?? -1, rest.lastIndexOf("@")]
  return [...new Set(ends)].flatMap((end) => {
    const userinfo = end < 0 ? "" : rest.slice(0, end)
    const colon = userinfo.indexOf(":")
    const user = colon < 0 ? userinfo : userinfo.slice(0, colon)
    const password = colon < 0 ? "" : userinfo.slice(colon + 1)
    // A key in the user's place, as many an API wants it: with no password, or with any.
    const isKey = isWeb && ((colon >= 0 && password === "") || looksLikeToken(user))
    const login = isWeb && colon >= 0 ? [decodeLoosely(userinfo)] : []
    return [password, ...(isKey ? [user] : []), ...login]
  })
}

/** Parameters of a URL, and of the lists of names and values that libpq and others take. */
const namedSecrets = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(parameter), ...text.matchAll(listed)].flatMap(([, name = "", value = ""]) =>
    isSecretName(name) ? [value, value.replace(/^(["'])(.*)\1$/s, "$2")] : []
  )

const parameter = /[?&]([^=&#]+)=([^&#]*)/g
const listed = /(?:^|[\s;,(])([^\s=&#;?,(]+)\s*=\s*('[^']*'|"[^"]*"|[^&#\s;)]*)/g

/**
 * An HTTP URL that is a secret as a whole is one by its path, which a server says back: "no route
 * /services/T0/B0/xyz". Short words in it are no secrets by themselves, and the path of a database is a
 * name that people are to read.
 */
const pathSecrets = (secret: string): ReadonlyArray<string> => {
  const path = /^\s*https?:\/\/[^/?#]*(\/[^?#]*)/i.exec(secret)?.[1]?.trim() ?? ""
  const long = [path, ...path.split("/")].filter((part) => part.length >= shortestPathSecret)
  return long.flatMap((part) => [part, decodeLoosely(part)])
}

const shortestPathSecret = 12

/** Percent-decoding that leaves alone what is not an escape. */
const decodeLoosely = (text: string): string =>
  text.replace(/(?:%[0-9a-f]{2})+/gi, (run) =>
    Buffer.from(run.replaceAll("%", ""), "hex").toString("utf8")
  )

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null

const mapStrings = <A>(value: A, f: (text: string) => string): A => {
  const go = (inner: unknown): unknown => {
    if (typeof inner === "string") return f(inner)
    if (Array.isArray(inner)) return inner.map(go)
    if (!isRecord(inner) || Object.getPrototypeOf(inner) !== Object.prototype) return inner
    return Object.fromEntries(Object.entries(inner).map(([key, child]) => [key, go(child)]))
  }
  return go(value) as A // `go` keeps the structure and changes only the text of strings.
}

/** The letter that JSON writes after a backslash, and the names that HTML has. */
const shortEscapes: Readonly<Record<string, string>> = {
  "\b": "b",
  "\f": "f",
  "\n": "n",
  "\r": "r",
  "\t": "t"
}
const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;"
}
const quotedInJson = new Set(['"', "'", "/"])

/**
 * A pattern in which each character may stand as it is or escaped: for a URL, for HTML, or for JSON,
 * there also twice (a JSON text inside a JSON text).
 *
 * Backslashes belong to the character that follows them, as only there the number of them has one
 * meaning. Were each of them free to be one or two, a long run of them would be tried in
 * exponentially many ways.
 */
const escapedForms = (value: string): string =>
  [...value.matchAll(/(\\*)([^\\]|$)/gsu)]
    .map(([, backslashes = "", char = ""]) => withBackslashes(backslashes.length, char))
    .join("")

const withBackslashes = (count: number, char: string): string => {
  if (char === "") return count === 0 ? "" : backslashRun(count, 4 * count)
  const plain = unescapedForms(char)
  if (/^[A-Za-z0-9]$/.test(char)) {
    return count === 0 ? plain : `${backslashRun(count, 4 * count)}${plain}`
  }
  const most = 4 * count + 3
  const before = quotedInJson.has(char)
    ? backslashRun(count, most)
    : count === 0
      ? ""
      : backslashRun(count, 4 * count)
  return `(?:${before}${plain}|\\\\{${count + 1},${most}}${jsonLetters(char)})`
}

const backslashRun = (least: number, most: number): string =>
  least === 0
    ? `\\\\{0,${most}}`
    : `(?:\\\\{${least},${most}}|(?:%5[cC]){${least}}|(?:&#92;){${least}}|(?:&#[xX]5[cC];){${least}})`

const unescapedForms = (char: string): string => {
  const forms = [percentForm(char)]
  const entity = entities[char]
  if (entity !== undefined) forms.push(entity)
  if (char === " ") forms.push("\\+")
  if (!/^[A-Za-z0-9]$/.test(char)) {
    const code = char.codePointAt(0) ?? 0
    forms.push(`&#0{0,4}${code};`, `&#[xX]0{0,4}${anyCase(code.toString(16))};`)
  }
  return `(?:${[...forms, escapeRegExp(char)].join("|")})`
}

/** What follows the backslash when JSON escapes a character. */
const jsonLetters = (char: string): string => {
  const short = shortEscapes[char]
  const units = Array.from(char.split(""), (unit) =>
    unit.charCodeAt(0).toString(16).padStart(4, "0")
  )
  const long = units.map((hex) => `u${anyCase(hex)}`).join("\\\\{1,3}")
  return short === undefined ? long : `(?:${short}|${long})`
}

const escapeRegExp = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")

const anyCase = (hex: string): string =>
  hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`)

const percentForm = (char: string): string =>
  [...Buffer.from(char, "utf8")]
    .map((byte) => `%${anyCase(byte.toString(16).padStart(2, "0"))}`)
    .join("")

/** Only where one of these stands may a letter or a digit be written as something else. */
const escapedWord = /%[0-9a-f]{2}/i

const wordsOf = (text: string): ReadonlyArray<string> =>
  text.split(/[^A-Za-z0-9]+/).filter((word) => word !== "")

const includesAll = (text: string, words: ReadonlyArray<string>): boolean =>
  words.every((word) => text.includes(word))

/**
 * What base64 text contains whenever the secret is part of what was encoded. Where the secret
 * starts within a group of three bytes changes every character, so there are three forms; the
 * characters at the rims, which depend on the neighbours, are left out.
 */
const base64Cores = (value: string): ReadonlyArray<string> => {
  const bytes = Buffer.from(value, "utf8")
  return [0, 1, 2].map((offset) => {
    const encoded = Encoding.encodeBase64(Buffer.concat([Buffer.alloc(offset), bytes]))
    const length = Math.floor(((offset + bytes.length) * 8) / 6)
    return encoded.slice(offset === 0 ? 0 : offset + 1, length)
  })
}

/** The core in plain base64 or in base64url, percent-encoded or not. */
const eitherAlphabet = (core: string): string =>
  core.replace(/[+/]/g, (char) =>
    char === "+" ? "(?:[+-]|%2[bB]|\\\\+u002[bB])" : "(?:\\\\*[/_]|%2[fF]|\\\\+u002[fF])"
  )
