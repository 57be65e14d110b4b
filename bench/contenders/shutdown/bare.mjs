// @ts-check
/** What a bare server does: `close`, and an exit when it is done. */
import { createServer } from "node:http"
import { handler, listen } from "./work.mjs"

const server = createServer(handler)
process.on("SIGTERM", () => server.close(() => process.exit(0)))
listen(server)
