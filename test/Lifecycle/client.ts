/** Requests as a client sends them, whatever becomes of them. */
import { Data, Effect } from "effect"
import * as http from "node:http"

export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

/** The connection ended without an answer, or was refused. */
export class NoAnswer extends Data.TaggedError("NoAnswer")<{
  readonly code: string
  readonly message: string
}> {}

/** On a connection of its own unless an agent keeps them. */
export const get = (url: string, agent?: http.Agent): Effect.Effect<Answer, NoAnswer> =>
  request(url, { method: "GET", agent: agent ?? false })

export const post = (url: string): Effect.Effect<Answer, NoAnswer> =>
  request(url, { method: "POST", agent: false })

const request = (url: string, options: http.RequestOptions): Effect.Effect<Answer, NoAnswer> =>
  Effect.async((resume) => {
    const fail = (error: NodeJS.ErrnoException) =>
      resume(Effect.fail(new NoAnswer({ code: error.code ?? "", message: error.message })))
    const sent = http.request(url, options, (response) => {
      let body = ""
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text
      })
      response.on("error", fail)
      response.on("end", () =>
        resume(
          Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers, body })
        )
      )
    })
    sent.on("error", fail).end()
    return Effect.sync(() => sent.destroy())
  })
