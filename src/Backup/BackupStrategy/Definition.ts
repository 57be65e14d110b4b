/**
 * A strategy of another package, as a value: the command line finds it among what a module of `plugins:`
 * exports, and takes it for URLs of its scheme.
 *
 * @since 0.1.0
 */
import type { CommandExecutor } from "@effect/platform/CommandExecutor"
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { type Effect, Layer, Predicate, type Redacted } from "effect"
import type { BackupError } from "../BackupError.js"
import { BackupStrategy, type Strategy } from "./Strategy.js"

/**
 * @since 0.1.0
 * @category symbols
 */
export const TypeId = "~holter/BackupStrategy"

/**
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * What a strategy needs of the platform, such as `NodeContext.layer`.
 *
 * @since 0.1.0
 * @category models
 */
export type Requirements = CommandExecutor | FileSystem | Path

/**
 * @since 0.1.0
 * @category models
 */
export interface Definition {
  readonly [TypeId]: TypeId
  /** `tar` takes `tar:///srv/files`. */
  readonly scheme: string
  readonly description: string
  /** The strategy for a URL. A URL that makes no sense is a `BackupError`. */
  readonly make: (
    url: Redacted.Redacted<string>
  ) => Effect.Effect<Strategy, BackupError, Requirements>
  readonly layer: (
    url: Redacted.Redacted<string>
  ) => Layer.Layer<BackupStrategy, BackupError, Requirements>
}

/**
 * @since 0.1.0
 * @category constructors
 */
export const define = (
  scheme: string,
  { description, make }: Pick<Definition, "description" | "make">
): Definition => ({
  [TypeId]: TypeId,
  scheme,
  description,
  make,
  layer: (url) => Layer.effect(BackupStrategy, make(url))
})

/**
 * Whether a value from a plugin's module is a strategy.
 *
 * @since 0.1.0
 * @category guards
 */
export const isDefinition = (value: unknown): value is Definition =>
  Predicate.hasProperty(value, TypeId)
