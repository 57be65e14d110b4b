/**
 * What a schema says of its values beside their type, by symbols of our own: that they are secret, and
 * what form they have. No name, identifier or description is looked at, as a plugin may choose any. What
 * wraps a schema (a filter, a default, a union, a class) leaves the answer as it is. Pure.
 *
 * @internal
 */
import { Predicate, SchemaAST as AST } from "effect"

/** The annotation of a schema whose values are not shown. */
export const SecretId: unique symbol = Symbol.for("holter/Plugin/Secret")

/**
 * `true`: the value is a secret. `"url"`: a URL that may carry one. It is read in results, where its
 * secret parts are hidden; where it is wrong, it may be anything, and only its scheme is shown.
 */
export type Secret = true | "url"

/** The annotation of a schema whose values have a form that stays the same, whatever a field is for. */
export const FormId: unique symbol = Symbol.for("holter/Plugin/Form")

export interface Form {
  /** What a value must be, in words: `a duration such as "10 seconds"`. */
  readonly expected: string
  /** What is said of a wrong value beside the value itself. */
  readonly hint?: (actual: unknown) => string | undefined
}

export const secretOf = ({ annotations }: AST.Annotated): Secret | undefined => {
  const value = annotations[SecretId]
  return value === true || value === "url" ? value : undefined
}

/** The form of a value, unless it may have several. */
export const formOf = (ast: AST.AST): Form | undefined => {
  const [form, ...others] = new Set(around(ast).flatMap(({ annotations }) => ownForm(annotations)))
  return others.length === 0 ? form : undefined
}

const ownForm = (annotations: AST.Annotations): ReadonlyArray<Form> => {
  const form: unknown = annotations[FormId]
  return isForm(form) ? [form] : []
}

const isForm = (value: unknown): value is Form => Predicate.hasProperty(value, "expected")

/** Effect marks it itself. */
export const isRedacted = (ast: AST.AST): boolean => {
  const constructor: unknown = ast.annotations[AST.TypeConstructorAnnotationId]
  return Predicate.hasProperty(constructor, "_tag") && constructor._tag === "effect/Redacted"
}

/** The schema and all that it is made of for one and the same value. */
export const around = (ast: AST.AST): ReadonlyArray<AST.AST> => {
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

/** The schemas of all that lies in a value. */
export const everyPart = (ast: AST.AST): ReadonlyArray<AST.AST> => {
  if (AST.isTypeLiteral(ast)) {
    const named = ast.propertySignatures.map(ofProperty)
    return [...named, ...ast.indexSignatures.map(({ type }) => type)]
  }
  if (AST.isTupleType(ast)) return [...ast.elements, ...ast.rest].map(({ type }) => type)
  return AST.isDeclaration(ast) ? ast.typeParameters : []
}

/** A property may be annotated itself, as `Schema.optional` makes no schema. */
const ofProperty = (property: AST.PropertySignature): AST.AST => {
  const own = secretOf(property)
  return own === undefined ? property.type : AST.annotations(property.type, { [SecretId]: own })
}
