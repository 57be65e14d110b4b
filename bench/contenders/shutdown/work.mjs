// @ts-check
/** What every contender serves: `/?ms=300` answers after so long. LAME_DUCK is in milliseconds. */

/** @type {import("node:http").RequestListener} */
export const handler = (request, response) => {
  const { searchParams } = new URL(request.url ?? "/", "http://bench")
  setTimeout(() => response.end("done"), Number(searchParams.get("ms")))
}

/** @param {import("node:http").Server} server */
export const listen = (server) =>
  server.listen(0, "127.0.0.1", () => {
    const address = server.address()
    console.log(`port ${typeof address === "object" ? address?.port : ""}`)
  })

export const lameDuck = Number(process.env["LAME_DUCK"] ?? 0)
