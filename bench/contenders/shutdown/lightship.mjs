// @ts-check
/** As its documentation has it: http-terminator closes the server. */
import { createHttpTerminator } from "http-terminator"
import { createLightship } from "lightship"
import { createServer } from "node:http"
import { handler, lameDuck, listen } from "./work.mjs"

const server = createServer(handler)
const terminator = createHttpTerminator({ server, gracefulTerminationTimeout: 5000 })
const lightship = await createLightship({
  detectKubernetes: false,
  port: 0,
  shutdownDelay: lameDuck,
  shutdownHandlerTimeout: 10_000,
  gracefulShutdownTimeout: 20_000
})
lightship.registerShutdownHandler(() => terminator.terminate())
lightship.signalReady()
listen(server)
