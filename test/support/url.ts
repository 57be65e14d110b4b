/** URLs of the test servers, with every part percent-encoded. */

export interface UrlParts {
  readonly scheme?: string
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly host?: string
  readonly port?: number | undefined
  readonly database?: string
  readonly params?: Readonly<Record<string, string>>
}

export const urlOf = (parts: UrlParts & { readonly scheme: string }): string => {
  const encode = encodeURIComponent
  const secret = parts.password === undefined ? "" : `:${encode(parts.password)}`
  const login =
    parts.user === undefined && secret === "" ? "" : `${encode(parts.user ?? "")}${secret}@`
  const port = parts.port === undefined ? "" : `:${parts.port}`
  const database = parts.database === undefined ? "" : `/${encode(parts.database)}`
  const params = Object.entries(parts.params ?? {})
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join("&")
  return (
    `${parts.scheme}://${login}${parts.host ?? ""}${port}${database}` +
    (params === "" ? "" : `?${params}`)
  )
}
