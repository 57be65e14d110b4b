/**
 * Which services there are: the file's and the environment's brought together, before anybody
 * looks at whether what they say is right. Pure.
 */
import type { Document } from "./Document.js"
import * as Services from "./Services.js"

/** A service before its check is known to be right. */
export interface ServiceDraft {
  readonly name: string
  readonly type: string
  readonly label: string | undefined
  /** Nothing when the service is known but not configured. */
  readonly entry: Readonly<Record<string, unknown>> | undefined
  /** Fields that come from a variable of the environment, which messages then name. */
  readonly variables: Readonly<Record<string, string>>
}

/** The known services first, then the others as the file lists them. */
export const fromConfiguration = (
  document: Document,
  environment: ReadonlyMap<string, string>
): ReadonlyArray<ServiceDraft> => {
  const others = Object.entries(document.checks)
    .filter(([name]) => !Services.known.some((service) => service.name === name))
    .map(([name, entry]): ServiceDraft => {
      const { type, ...rest } = entry
      return { name, type: String(type), label: undefined, entry: rest, variables: {} }
    })
  const known = Services.known.map((service) =>
    fromKnown(service, document.checks[service.name], environment)
  )
  return [...known, ...others]
}

/** With nothing configured there is still something to watch: a database of Holter's own. */
export const embedded = (databaseUrl: string): ReadonlyArray<ServiceDraft> => [
  {
    name: "database",
    type: "database",
    label: "database",
    entry: { url: databaseUrl },
    variables: {}
  },
  ...Services.machine.map(
    ({ name, type }): ServiceDraft => ({ name, type, label: undefined, entry: {}, variables: {} })
  )
]

const fromKnown = (
  service: Services.KnownService,
  entry: Readonly<Record<string, unknown>> | undefined,
  environment: ReadonlyMap<string, string>
): ServiceDraft => {
  const { label, name } = service
  // The document's schema lets no entry pass without a type.
  const type = typeof entry?.["type"] === "string" ? entry["type"] : service.type
  const inFile = entry !== undefined
  // Another type under a known name is another service: the variables do not belong to it.
  const variables = type === service.type ? service.variables : {}
  const present = Object.entries(variables).filter(
    ([field, variable]) => environment.has(variable) && entry?.[field] === undefined
  )
  const fromEnvironment = Object.fromEntries(
    present.map(([field, variable]) => [field, environment.get(variable)])
  )
  const configured = inFile || present.some(([field]) => service.presence.includes(field))
  const { type: _, ...rest } = entry ?? {}
  return {
    name,
    type,
    label: type === service.type ? label : undefined,
    entry: configured ? { ...fromEnvironment, ...rest } : undefined,
    variables: Object.fromEntries(present)
  }
}
