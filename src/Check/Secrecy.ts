/**
 * Which parts of a configuration are secret. The schema says it: by `Redacted`, or by an annotation
 * where the value stays plain. No name, identifier or description is looked at, as a plugin may choose
 * any. What wraps a schema (a filter, a default, a union, a class) leaves the answer as it is. Pure.
 *
 * @internal
 */
import { Predicate, Redacted, SchemaAST as AST } from "effect"

/** The annotation of a schema whose values are not shown. */
export const SecretId: unique symbol = Symbol.for("holter/Check/Secret")

/**
 * `true`: the value is a secret. `"url"`: a URL that may carry one. It is read in results, where its
 * secret parts are hidden; where it is wrong, it may be anything, and only its scheme is shown.
 */
type Secret = true | "url"

/** Whether a value of this schema is a secret, or a URL that may carry one. */
export const isSecret = (ast: AST.AST): boolean =>
  around(ast).some((one) => isRedacted(one) || mark(one) !== undefined)

/** Whether the value as a whole is one. */
export const isWhole = (ast: AST.AST): boolean =>
  around(ast).some((one) => isRedacted(one) || mark(one) === true)

export const isUrl = (ast: AST.AST): boolean => around(ast).some((one) => mark(one) === "url")

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

/** The schemas of what lies under a key, whichever side and member has it. */
export const partsAt = (ast: AST.AST, key: string): ReadonlyArray<AST.AST> =>
  around(ast).flatMap((one) => {
    if (AST.isTypeLiteral(one)) {
      const own = one.propertySignatures.filter(({ name }) => String(name) === key)
      return own.length > 0 ? own.map(ofProperty) : one.indexSignatures.map(({ type }) => type)
    }
    if (AST.isTupleType(one)) {
      const element = one.elements[Number(key)]
      return element === undefined ? one.rest.map(({ type }) => type) : [element.type]
    }
    // What a collection is made of: its own keys say nothing of where a part lies in the schema.
    return AST.isDeclaration(one)
      ? everyPart(one).flatMap((part) => [part, ...partsAt(part, key)])
      : []
  })

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

const mark = ({ annotations }: AST.Annotated): Secret | undefined => {
  const value = annotations[SecretId]
  return value === true || value === "url" ? value : undefined
}

const isRedacted = (ast: AST.AST): boolean => {
  const constructor: unknown = ast.annotations[AST.TypeConstructorAnnotationId]
  return Predicate.hasProperty(constructor, "_tag") && constructor._tag === "effect/Redacted"
}

/** A property may be annotated itself, as `Schema.optional` makes no schema. */
const ofProperty = (property: AST.PropertySignature): AST.AST => {
  const own = mark(property)
  return own === undefined ? property.type : AST.annotations(property.type, { [SecretId]: own })
}

/** The schema and all that it is made of for one and the same value. */
const around = (ast: AST.AST): ReadonlyArray<AST.AST> => {
  const known = knownAround.get(ast)
  if (known !== undefined) return known
  const seen = new Set<AST.AST>()
  const go = (one: AST.AST): void => {
    if (seen.has(one)) return
    seen.add(one)
    for (const inner of sameValue(one)) go(inner)
  }
  go(ast)
  const all = [...seen]
  knownAround.set(ast, all)
  return all
}

const knownAround = new WeakMap<AST.AST, ReadonlyArray<AST.AST>>()

const sameValue = (ast: AST.AST): ReadonlyArray<AST.AST> => {
  if (AST.isTransformation(ast)) return [ast.from, ast.to]
  if (AST.isRefinement(ast)) return [ast.from]
  if (AST.isSuspend(ast)) return [ast.f()]
  if (AST.isUnion(ast)) return ast.types
  return AST.isDeclaration(ast) && isRedacted(ast) ? ast.typeParameters : []
}

const everyPart = (ast: AST.AST): ReadonlyArray<AST.AST> => {
  if (AST.isTypeLiteral(ast)) {
    const named = ast.propertySignatures.map(ofProperty)
    return [...named, ...ast.indexSignatures.map(({ type }) => type)]
  }
  if (AST.isTupleType(ast)) return [...ast.elements, ...ast.rest].map(({ type }) => type)
  return AST.isDeclaration(ast) ? ast.typeParameters : []
}
