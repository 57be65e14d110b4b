/**
 * What helps a person who reads of a check at night: what the service is called, where to look, what to
 * do. Machines go by the service's name.
 */
import { Either, ParseResult, Schema } from "effect"
import * as Secrets from "../Common/Secrets.js"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as ConfigIssues from "../Plugin/ConfigIssues.js"

const isWeb = (text: string): boolean =>
  /^https?:\/\/[^\s\p{Cc}]+$/iu.test(text) && URL.canParse(text)

/** Whoever reads the message would read the password too. */
const isOpen = (text: string): boolean => {
  const { password, username } = new URL(text)
  return username === "" && password === ""
}

const field = (description: string, jsonSchema: object, is: (text: string) => boolean) =>
  Schema.optionalWith(Schema.String.pipe(Schema.filter(is, { description, jsonSchema })), {
    exact: true
  })

const isText = (most: number) => (text: string) => text.trim() !== "" && text.length <= most

/** The parts as a configuration writes them. */
export const Fields = {
  label: field(
    "what people call the service: one line of at most 100 characters (default: of the type, or the name)",
    { minLength: 1, maxLength: 100 },
    (text) => isText(100)(text) && !/\p{Cc}/u.test(text)
  ),
  link: field(
    "an http or https URL without a user or a password, such as that of a dashboard; it is in every message",
    { pattern: "^[hH][tT][tT][pP][sS]?://\\S+$", maxLength: 2000 },
    (text) => text.length <= 2000 && isWeb(text) && isOpen(text)
  ),
  runbook: field(
    "what to do: a URL, or words, at most 500 characters; it is in every message",
    { minLength: 1, maxLength: 500 },
    (text) => isText(500)(text)
  )
}

export const Guidance = Schema.Struct(Fields)

export type Guidance = typeof Guidance.Type

/** The same where what is not known may be written out. */
export interface Given {
  /** What people call the service: one line. */
  readonly label?: string | undefined
  /** Where to look: an http or https URL, such as that of a dashboard. */
  readonly link?: string | undefined
  /** What to do: a URL, or a short text. */
  readonly runbook?: string | undefined
}

/** Everything that is wrong in it where code wrote it, by the rules of a configuration file. */
export const issues = (given: Given): ReadonlyArray<ConfigIssue> =>
  Either.match(ParseResult.validateEither(Guidance, { errors: "all" })(of(given)), {
    onLeft: (issue) => ConfigIssues.fromParseIssue(issue, Secrets.fromConfig(of(given)).scrub),
    onRight: () => []
  })

/** The parts of something that has more of them. */
export const of = ({ label, link, runbook }: Given): Guidance => ({
  ...(label === undefined ? {} : { label }),
  ...(link === undefined ? {} : { link }),
  ...(runbook === undefined ? {} : { runbook })
})

/** Whether a runbook leads somewhere, and says nothing by itself. */
export const isUrl = (runbook: string): boolean => isWeb(runbook.trim())
