// @ts-check
/** A server that answers every request at once, as cheaply as Node can. Prints its port. */
import { createServer } from "node:http"

const body = Buffer.from('{"ok":true}')
const headers = { "content-type": "application/json", "content-length": body.length }
const server = createServer((_, response) => {
  response.writeHead(200, headers)
  response.end(body)
})
server.keepAliveTimeout = 120_000
server.listen(0, "127.0.0.1", () => {
  const address = server.address()
  console.log(`port ${typeof address === "object" ? address?.port : ""}`)
})
