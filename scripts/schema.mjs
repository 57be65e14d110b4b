/** Writes the JSON Schema of the configuration file from the built plugins. */
import { writeFile } from "node:fs/promises"
import { builtIn } from "../dist/Cli/Catalog.js"
import { make } from "../dist/Cli/JsonSchema.js"

const checks = await Promise.all([...builtIn.values()].map((load) => load()))
const target = new URL("../dist/holter.config.schema.json", import.meta.url)
await writeFile(target, `${JSON.stringify(make(checks), null, 2)}\n`)
