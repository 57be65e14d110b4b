/**
 * Which parts of a configuration are secret. The schema says it: by `Redacted`, or by an annotation
 * where the value stays plain (`Annotation`), whatever wraps it. Pure.
 *
 * @internal
 */
import { Predicate, Redacted, SchemaAST as AST } from "effect"
import { around, everyPart, isRedacted, partsAt, secretOf } from "./Annotation.js"

/** Whether a value of this schema is a secret, or a URL that may carry one. */
export const isSecret = (ast: AST.AST): boolean =>
  around(ast).some((one) => isRedacted(one) || secretOf(one) !== undefined)

/** Whether the value as a whole is one. */
export const isWhole = (ast: AST.AST): boolean =>
  around(ast).some((one) => isRedacted(one) || secretOf(one) === true)

export const isUrl = (ast: AST.AST): boolean => around(ast).some((one) => secretOf(one) === "url")

/** Whether a secret lies in it, at any depth. */
export const holds = (ast: AST.AST): boolean => {
  const seen = new Set<AST.AST>()
  const go = (one: AST.AST): boolean => {
    if (seen.has(one)) return false
    seen.add(one)
    return isSecret(one) || around(one).some((same) => everyPart(same).some(go))
  }
  return go(ast)
}

/**
 * Whether what lies at a path of a configuration must not be shown: it is a secret, lies in one, or
 * holds one. Where the schema does not know the path, what it knows last decides.
 */
export const isHidden = (ast: AST.AST, path: ReadonlyArray<string>): boolean => {
  const go = (asts: ReadonlyArray<AST.AST>, [key, ...rest]: ReadonlyArray<string>): boolean => {
    if (asts.some(isSecret)) return true
    const inner = key === undefined ? [] : asts.flatMap((one) => partsAt(one, key))
    return inner.length === 0 ? asts.some(holds) : go(inner, rest)
  }
  return go([ast], path)
}

/** Whether the schema names this key, so that it stands for no other. */
export const names = (ast: AST.AST, key: string): boolean =>
  around(ast).some(
    (one) =>
      AST.isTypeLiteral(one) && one.propertySignatures.some(({ name }) => String(name) === key)
  )

/** The texts of a value that is a secret as a whole, or that holds one where it cannot be looked into. */
export const texts = (ast: AST.AST, value: unknown): ReadonlyArray<string> => {
  if (Redacted.isRedacted(value)) return texts(ast, Redacted.value(value))
  if (typeof value === "string") return [value]
  if (typeof value === "number" || typeof value === "bigint") {
    const isNumber = around(ast).some((one) => AST.isNumberKeyword(one) || AST.isBigIntKeyword(one))
    return isNumber ? [String(value)] : []
  }
  if (Array.isArray(value)) {
    return value.flatMap((item: unknown, index) => textsAt(ast, String(index), item))
  }
  if (!Predicate.isRecord(value)) return []
  return Object.entries(value).flatMap(([key, item]) => textsAt(ast, key, item))
}

const textsAt = (ast: AST.AST, key: string, value: unknown) =>
  (partsAt(ast, key)[0] === undefined ? [ast] : partsAt(ast, key)).flatMap((part) =>
    texts(part, value)
  )

/** Whether a text is one of its values that may hold what cannot be told apart in it: JSON, say. */
export const isText = (ast: AST.AST): boolean =>
  around(ast).some((one) => AST.isStringKeyword(one) || AST.isTemplateLiteral(one))
