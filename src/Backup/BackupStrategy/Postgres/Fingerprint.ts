/**
 * What a schema is, in one word: two dumps with the same one are restored alike. Pure.
 *
 * @internal
 */
import { createHash } from "node:crypto"

/**
 * Of what pg_restore writes of a schema. Partitions are left out, since a new one for each day is no new
 * schema; so are comments, and the order.
 */
export const ofSchema = (sql: string): string => {
  const parts = new Set(
    [...sql.matchAll(/ ATTACH PARTITION (\S+?)[ ;]/g)].map(([, name]) => name ?? "")
  )
  const objects = sql
    .split(/^-- Name: .*$/m)
    .slice(1)
    .map((text) => text.replaceAll(/^(?:--.*|\\(?:un)?restrict .*|)\n/gm, ""))
    .filter((text) => ![...text.matchAll(/[^\s(),;]+/g)].some(([word]) => parts.has(word)))
    .sort()
  return createHash("sha256").update(objects.join("\0")).digest("hex")
}
