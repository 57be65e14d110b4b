/**
 * The JSON Schema of a configuration: Effect's, with what our annotations add. Values that are not for
 * showing are `writeOnly`, at every depth, and a filter keeps its description. Pure.
 *
 * @internal
 */
import { JSONSchema, Option, Predicate, Record, type Schema, SchemaAST as AST } from "effect"
import { around, partsAt } from "./Annotation.js"
import * as Secrecy from "./Secrecy.js"

type Json = { readonly [keyword: string]: unknown }

export interface Root {
  /** Of a struct: its fields. */
  readonly properties: Json
  readonly required: ReadonlyArray<string>
  readonly $defs: Json
}

/** Of the fields of a struct. */
export const ofFields = (schema: Schema.Schema.AnyNoContext): Root => {
  const { $defs = {}, ...root } = JSONSchema.make(schema)
  const { properties, required } = "properties" in root ? root : { properties: {}, required: [] }
  const definitions = definitionsOf($defs)
  const struct = inValue({ properties }, [schema.ast], definitions.visit)
  return { properties: recordOf(struct["properties"]), required, $defs: definitions.all() }
}

/** A field in words. What it says of itself says more than what its kind says. */
export const describe = (property: unknown, $defs: Json): string => {
  const { own, kind } = found(property, $defs)
  const words = own["description"] ?? kind["description"]
  if (typeof words === "string") return words
  if (Array.isArray(kind["enum"]))
    return kind["enum"].map((one) => JSON.stringify(one)).join(" or ")
  return typeof kind["type"] === "string" ? kind["type"] : "see the documentation"
}

export const isDescribed = (property: unknown, $defs: Json): boolean => {
  const { own, kind } = found(property, $defs)
  return (own["description"] ?? kind["description"]) !== undefined
}

const found = (property: unknown, $defs: Json) => {
  const own = recordOf(property)
  const reference = own["$ref"]
  const kind = typeof reference === "string" ? recordOf($defs[nameOf(reference)]) : own
  return { own, kind }
}

/** Each definition is annotated once, by the first schema that leads to it. */
const definitionsOf = ($defs: Json) => {
  const all = new Map(Object.entries($defs))
  const done = new Set<string>()
  const visit: Visit = (name, asts) => {
    const json = all.get(name)
    if (done.has(name) || !Predicate.isRecord(json)) return
    done.add(name)
    const named = asts.flatMap(around).filter((ast) => isNamed(ast, name))
    all.set(name, named.length > 0 ? annotated(json, named, visit) : inValue(json, asts, visit))
  }
  return { visit, all: (): Json => Object.fromEntries(all) }
}

const isNamed = (ast: AST.AST, name: string): boolean =>
  Option.contains(AST.getJSONIdentifier(ast), name)

type Visit = (name: string, asts: ReadonlyArray<AST.AST>) => void

const annotated = (json: Json, asts: ReadonlyArray<AST.AST>, visit: Visit): Json => {
  const isBare = json["description"] === undefined && json["$ref"] === undefined
  const described = isBare ? description(asts) : undefined
  return {
    ...inValue(json, asts, visit),
    ...(described === undefined ? {} : { description: described }),
    ...(asts.some(Secrecy.isSecret) ? { writeOnly: true } : {})
  }
}

/** Effect takes over no words of a filter that has no keywords for JSON Schema. */
const description = (asts: ReadonlyArray<AST.AST>): string | undefined =>
  asts
    .flatMap((ast) => (AST.isUnion(ast) ? ast.types : [ast]))
    .filter(AST.isRefinement)
    .flatMap((ast) => Option.toArray(AST.getDescriptionAnnotation(ast)))[0]

/** What lies in a value of these schemas, whichever of them has it. */
const inValue = (json: Json, asts: ReadonlyArray<AST.AST>, visit: Visit): Json => {
  const at = (part: unknown, key: string): unknown => {
    const parts = asts.flatMap((ast) => partsAt(ast, key))
    return Predicate.isRecord(part) && parts.length > 0 ? annotated(part, parts, visit) : part
  }
  const reference = json["$ref"]
  if (typeof reference === "string") visit(nameOf(reference), asts)
  return Record.map(json, (part, keyword) => {
    if (keyword === "properties" || keyword === "patternProperties") {
      return Record.map(recordOf(part), at)
    }
    // Any key and any index: those that the schema has by no name of their own.
    if (keyword === "additionalProperties" || keyword === "items") {
      return Array.isArray(part) ? part.map((item, index) => at(item, String(index))) : at(part, "")
    }
    return Array.isArray(part) && alternatives.has(keyword)
      ? part.map((one: unknown) => (Predicate.isRecord(one) ? inValue(one, asts, visit) : one))
      : part
  })
}

/** All of the same value. */
const alternatives = new Set(["anyOf", "allOf", "oneOf"])

const nameOf = (reference: string): string =>
  reference.replace("#/$defs/", "").replaceAll("~1", "/").replaceAll("~0", "~")

const recordOf = (value: unknown): Json => (Predicate.isRecord(value) ? value : {})
