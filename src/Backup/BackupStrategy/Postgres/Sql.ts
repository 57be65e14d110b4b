/**
 * Names and values as they stand in a statement, where PostgreSQL takes no parameter.
 *
 * @internal
 */

/** `"My ""table"""`. */
export const identifier = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Right whatever `standard_conforming_strings` is. */
export const literal = (text: string): string => {
  const quoted = `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`
  return text.includes("\\") ? `E${quoted}` : quoted
}

/**
 * The elements of a setting that is a list of names, as the catalog keeps it: `"$user", public`.
 * Each element has to be written as a value of its own, or the list becomes one name.
 */
export const splitList = (text: string): ReadonlyArray<string> =>
  [...text.matchAll(/\s*(?:"((?:[^"]|"")*)"|([^,\s"]+))\s*(?:,|$)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain ?? ""
  )

/** Settings that are such lists: GUC_LIST_QUOTE in PostgreSQL's source. */
const listSettings: ReadonlySet<string> = new Set([
  "local_preload_libraries",
  "search_path",
  "session_preload_libraries",
  "shared_preload_libraries",
  "temp_tablespaces",
  "unix_socket_directories"
])

/** What follows `SET name TO` for a setting as the catalog keeps it. */
export const settingValue = (name: string, value: string): string =>
  listSettings.has(name.toLowerCase())
    ? splitList(value).map(literal).join(", ") || "''"
    : literal(value)
