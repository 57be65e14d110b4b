/** Writes the JSON Schema of the configuration file from the built plugins. */
import { writeFile } from "node:fs/promises"
import { builtIn, builtInChannels } from "../dist/Cli/Catalog.js"
import { make } from "../dist/Cli/JsonSchema.js"

const loaded = (catalog) => Promise.all([...catalog.values()].map((load) => load()))
const target = new URL("../dist/holter.config.schema.json", import.meta.url)
await writeFile(
  target,
  `${JSON.stringify(make(await loaded(builtIn), await loaded(builtInChannels)), null, 2)}\n`
)
