/**
 * A strategy of another package, as a value: the command line finds it among what a module of `plugins:`
 * exports, and takes it for URLs of its scheme.
 */
import type { CommandExecutor } from "@effect/platform/CommandExecutor"
import type { FileSystem } from "@effect/platform/FileSystem"
import type { Path } from "@effect/platform/Path"
import { type Effect, Layer, type Redacted } from "effect"
import * as Plugin from "../../Plugin/Plugin.js"
import type { BackupError } from "../BackupError.js"
import { BackupStrategy, type Strategy } from "./Strategy.js"

/** What a strategy needs of the platform, such as `NodeContext.layer`. */
export type Requirements = CommandExecutor | FileSystem | Path

/** Its type is the scheme of its URLs: `tar` takes `tar:///srv/files`. */
export interface Definition extends Plugin.Described<"strategy"> {
  /** The strategy for a URL. A URL that makes no sense is a `BackupError`. */
  readonly make: (
    url: Redacted.Redacted<string>
  ) => Effect.Effect<Strategy, BackupError, Requirements>
  readonly layer: (
    url: Redacted.Redacted<string>
  ) => Layer.Layer<BackupStrategy, BackupError, Requirements>
}

export const define = (
  type: string,
  { description, make }: Pick<Definition, "description" | "make">
): Definition => ({
  [Plugin.TypeId]: "strategy",
  type,
  description,
  make,
  layer: (url) => Layer.effect(BackupStrategy, make(url))
})

/** Whether a value from a plugin's module is a strategy. */
export const isDefinition = (value: unknown): value is Definition =>
  Plugin.kindOf(value) === "strategy"
