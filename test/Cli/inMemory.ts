/** The platform of the command line without a machine: files and variables of a test's own. */
import { SystemError } from "@effect/platform/Error"
import * as FileSystem from "@effect/platform/FileSystem"
import * as Path from "@effect/platform/Path"
import { ConfigProvider, Effect, Layer } from "effect"
import { Output } from "../../src/Cli/Output.js"

export interface World {
  readonly variables?: Readonly<Record<string, string>>
  /** By path; relative ones lie in the working directory. */
  readonly files?: Readonly<Record<string, string>>
  /** Paths that exist and cannot be read. */
  readonly forbidden?: ReadonlyArray<string>
}

/** Runs an effect in such a world. Files are read only; what is written is forgotten. */
export const within = (world: World) => Layer.mergeAll(fileSystem(world), variables(world), output)

const variables = ({ variables: values = {} }: World) =>
  Layer.setConfigProvider(ConfigProvider.fromMap(new Map(Object.entries(values))))

const fileSystem = ({ files = {}, forbidden = [] }: World) =>
  Layer.unwrapEffect(
    Effect.gen(function* () {
      const path = yield* Path.Path
      const contents = new Map(
        Object.entries(files).map(([name, text]) => [path.resolve(name), text])
      )
      const closed = new Set(forbidden.map((name) => path.resolve(name)))
      return Layer.merge(
        Path.layer,
        FileSystem.layerNoop({
          exists: (name) => Effect.succeed(contents.has(path.resolve(name))),
          readFileString: (name) => {
            const text = contents.get(path.resolve(name))
            if (text !== undefined) return Effect.succeed(text)
            const reason = closed.has(path.resolve(name)) ? "PermissionDenied" : "NotFound"
            return Effect.fail(
              new SystemError({
                module: "FileSystem",
                method: "readFileString",
                reason,
                pathOrDescriptor: name
              })
            )
          }
        })
      )
    })
  ).pipe(Layer.provide(Path.layer))

const output = Layer.succeed(Output, {
  line: () => Effect.void,
  note: () => Effect.void,
  hide: () => Effect.void,
  look: { emoji: true, color: false }
})
