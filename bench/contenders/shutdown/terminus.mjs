// @ts-check
/** As its documentation has it, with the delay that it recommends for Kubernetes. */
import { createTerminus } from "@godaddy/terminus"
import { createServer } from "node:http"
import { handler, lameDuck, listen } from "./work.mjs"

const server = createServer(handler)
createTerminus(server, {
  signals: ["SIGTERM"],
  timeout: 5000,
  beforeShutdown: () => new Promise((resolve) => setTimeout(resolve, lameDuck))
})
listen(server)
