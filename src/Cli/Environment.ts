/**
 * Variables of the environment, each also in the form `NAME_FILE` that names a file with the value
 * (Docker and Kubernetes secrets).
 */
import type { FileSystem } from "@effect/platform/FileSystem"
import { Config, Effect, Option } from "effect"
import type { ConfigIssue } from "../Plugin/ConfigIssue.js"
import * as TextFile from "./TextFile.js"

/** The value of a variable; an empty one counts as not set. */
export const read = (name: string): Effect.Effect<Option.Option<string>, ConfigIssue, FileSystem> =>
  Effect.gen(function* () {
    const direct = yield* variable(name)
    const file = yield* variable(`${name}_FILE`)
    if (Option.isNone(file)) return direct
    if (Option.isSome(direct)) {
      return yield* Effect.fail({
        path: [name],
        expected: `only one of ${name} and ${name}_FILE to be set`,
        found: "both"
      })
    }
    return yield* TextFile.read(file.value).pipe(
      // Editors and `echo` end a file with a line break that is not part of the secret.
      Effect.map((text) => nonEmpty(text.replace(/\r?\n$/, ""))),
      Effect.mapError((error) => ({
        path: [`${name}_FILE`],
        expected: "the path of a file that can be read",
        // Not the path: whoever puts the secret itself here must not read it in a log.
        found:
          error._tag === "NoText"
            ? error.found
            : `a path that leads to none (${error._tag === "SystemError" ? error.reason : error._tag})`
      }))
    )
  })

const variable = (name: string): Effect.Effect<Option.Option<string>> =>
  Config.string(name).pipe(
    Config.option,
    Effect.map(Option.flatMap(nonEmpty)),
    // A variable is a text or it is missing; there is no third case to report.
    Effect.orElseSucceed(() => Option.none<string>())
  )

const nonEmpty = (text: string): Option.Option<string> =>
  text.length === 0 ? Option.none() : Option.some(text)
