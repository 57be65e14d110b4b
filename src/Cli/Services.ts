/**
 * The four services that Holter knows without a configuration file, and the variables that
 * configure them. They are listed in the order in which output shows them.
 */
export interface KnownService {
  readonly name: string
  readonly type: string
  readonly label: string
  /** Fields of the check's configuration, and the variable that each is read from. */
  readonly variables: Readonly<Record<string, string>>
  /** The service is checked when one of these fields is set. */
  readonly presence: ReadonlyArray<string>
}

export const known: ReadonlyArray<KnownService> = [
  {
    name: "telegram_api",
    type: "telegram",
    label: "Telegram API",
    variables: { token: "TELEGRAM_BOT_TOKEN", apiUrl: "TELEGRAM_API_URL" },
    presence: ["token"]
  },
  {
    name: "dmarket_api",
    type: "dmarket",
    label: "DMarket API",
    variables: {
      publicKey: "DMARKET_PUBLIC_KEY",
      secretKey: "DMARKET_SECRET_KEY",
      apiUrl: "DMARKET_API_URL"
    },
    presence: ["publicKey", "secretKey", "apiUrl"]
  },
  {
    name: "database",
    type: "database",
    label: "database",
    variables: { url: "DATABASE_URL" },
    presence: ["url"]
  },
  {
    name: "redis",
    type: "redis",
    label: "Redis",
    variables: { url: "REDIS_URL" },
    presence: ["url"]
  }
]

/** The variables of which one is enough for a known service to be checked. */
export const presenceVariables: ReadonlyArray<string> = known.flatMap(({ presence, variables }) =>
  presence.flatMap((field) => variables[field] ?? [])
)

/** What is checked beside the embedded database when nothing at all is configured. */
export const machine: ReadonlyArray<{ readonly name: string; readonly type: string }> = [
  { name: "disk", type: "disk" },
  { name: "memory", type: "memory" },
  { name: "event_loop", type: "event_loop" }
]

/** Known services first, Redis last, everything else between them as it was written. */
export const displayRank = (name: string): number => {
  const index = known.findIndex((service) => service.name === name)
  if (name === "redis") return known.length
  return index < 0 ? known.length - 1 : index
}
