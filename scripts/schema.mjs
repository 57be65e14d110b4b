/** Writes the JSON Schema of the configuration file from the built plugins. */
import { writeFile } from "node:fs/promises"
import { Effect } from "effect"
import { builtIn } from "../dist/Cli/Catalog.js"
import { make } from "../dist/Cli/JsonSchema.js"

const loaded = (types) => Effect.runPromise(Effect.all([...types.values()]))
const target = new URL("../dist/holter.config.schema.json", import.meta.url)
const schema = make(await loaded(builtIn.checks), await loaded(builtIn.channels))
await writeFile(target, `${JSON.stringify(schema, null, 2)}\n`)
