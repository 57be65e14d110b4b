import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as http from "node:http"
import * as Behaviour from "./doubles/Behaviour.js"
import * as HttpDouble from "./HttpDouble.js"
import * as ProcessTree from "./ProcessTree.js"

interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

/** One request to its end; an error is what the socket said. */
const get = (url: string, options: http.RequestOptions & { readonly body?: string } = {}) =>
  Effect.async<Answer, NodeJS.ErrnoException>((resume) => {
    const request = http.request(url, { agent: false, ...options }, (response) => {
      let body = ""
      response.setEncoding("utf8")
      response.on("data", (text: string) => {
        body += text
      })
      response.on("error", (error) => resume(Effect.fail(error)))
      response.on("end", () =>
        resume(
          Effect.succeed({ status: response.statusCode ?? 0, headers: response.headers, body })
        )
      )
    })
    request.on("error", (error) => resume(Effect.fail(error)))
    request.end(options.body)
    return Effect.sync(() => request.destroy())
  })

/** The first bytes of an answer, and then no more of it. */
const first = (url: string, bytes: number) =>
  Effect.async<string, NodeJS.ErrnoException>((resume) => {
    let body = ""
    const request = http.get(url, { agent: false }, (response) => {
      response.setEncoding("utf8")
      response.on("error", () => {})
      response.on("data", (text: string) => {
        body += text
        if (body.length >= bytes) {
          resume(Effect.succeed(body.slice(0, bytes)))
          request.destroy()
        }
      })
    })
    request.on("error", (error) => resume(Effect.fail(error)))
    return Effect.sync(() => request.destroy())
  })

const silentFor = <A, E>(fiber: Fiber.Fiber<A, E>) =>
  Fiber.join(fiber).pipe(
    Effect.as(false),
    Effect.timeoutTo({ duration: "50 millis", onSuccess: (said) => said, onTimeout: () => true })
  )

describe("HttpDouble", () => {
  it.scopedLive("answers by route, in turn, and the last answer stays", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({
        routes: {
          "POST /a": Behaviour.json(201, { made: true }),
          "/a": [Behaviour.text(500, "first"), Behaviour.text(200, "then")]
        }
      })
      assert.deepInclude(yield* get(`${double.url}/a?x=1`), { status: 500, body: "first" })
      assert.deepInclude(yield* get(`${double.url}/a`), { status: 200, body: "then" })
      assert.deepInclude(yield* get(`${double.url}/a`), { status: 200, body: "then" })
      const made = yield* get(`${double.url}/a`, { method: "POST", body: '{"b":1}' })
      assert.deepInclude(made, { status: 201, body: '{"made":true}' })
      assert.strictEqual((yield* get(`${double.url}/other`)).status, 404)
      yield* double.on("/other", Behaviour.redirect("/a"))
      const moved = yield* get(`${double.url}/other`)
      assert.strictEqual(moved.status, 302)
      assert.strictEqual(moved.headers.location, "/a")
    })
  )

  it.scopedLive("records what it was asked, and on which connection", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({ routes: { "*": Behaviour.text(200, "ok") } })
      const agent = new http.Agent({ keepAlive: true })
      yield* Effect.addFinalizer(() => Effect.sync(() => agent.destroy()))
      yield* get(`${double.url}/a?b=%20`, { agent, headers: { "X-Own": "1" } })
      yield* get(`${double.url}/b`, { agent, method: "PUT", body: "hello" })
      yield* get(`${double.url}/c`)
      const [a, b, c] = yield* double.awaitRequests(3)
      assert.deepInclude(a, { method: "GET", url: "/a?b=%20", body: "", connection: 1 })
      assert.strictEqual(a?.headers["x-own"], "1")
      assert.deepInclude(b, { method: "PUT", url: "/b", body: "hello", connection: 1 })
      assert.strictEqual(c?.connection, 2)
      assert.strictEqual((yield* double.connections).total, 2)
      yield* double.clear
      assert.deepStrictEqual(yield* double.requests, [])
    })
  )

  it.scopedLive("without keep-alive every request is a connection", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({
        keepAlive: false,
        routes: { "*": Behaviour.text(200, "ok") }
      })
      const agent = new http.Agent({ keepAlive: true })
      yield* Effect.addFinalizer(() => Effect.sync(() => agent.destroy()))
      const answer = yield* get(double.url, { agent })
      assert.strictEqual(answer.headers.connection, "close")
      yield* get(double.url, { agent })
      assert.strictEqual((yield* double.connections).total, 2)
    })
  )

  it.scopedLive("says when to come back in both forms", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({
        routes: {
          "/seconds": Behaviour.tooManyRequests(7),
          "/date": Behaviour.tooManyRequestsAt(60)
        }
      })
      const seconds = yield* get(`${double.url}/seconds`)
      assert.deepInclude(seconds, { status: 429 })
      assert.strictEqual(seconds.headers["retry-after"], "7")
      const { headers, status } = yield* get(`${double.url}/date`)
      assert.strictEqual(status, 429)
      const ahead = Date.parse(headers["retry-after"] ?? "") - Date.parse(headers.date ?? "")
      assert.closeTo(ahead, 60_000, 1000)
    })
  )

  it.scopedLive("keeps a request waiting until its gate is released", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({
        routes: { "/": Behaviour.gate("door", Behaviour.text(200, "in")) }
      })
      const waiting = yield* Effect.fork(get(double.url))
      yield* double.awaitRequests(1)
      assert.isTrue(yield* silentFor(waiting))
      yield* double.release("door")
      assert.strictEqual((yield* Fiber.join(waiting)).body, "in")
      assert.strictEqual((yield* get(double.url)).body, "in")
    })
  )

  it.scopedLive("fails in the body: stalls, trickles, pours without end, resets, stops short", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({
        routes: {
          "/stall": Behaviour.stallBody(),
          "/trickle": Behaviour.trickle("abc", 1),
          "/endless": Behaviour.endless(),
          "/reset": Behaviour.resetMidBody,
          "/truncate": Behaviour.truncate,
          "/bad": Behaviour.badJson()
        }
      })
      assert.strictEqual(yield* first(`${double.url}/stall`, 10), '{"ok":true')
      assert.isTrue(yield* silentFor(yield* Effect.fork(get(`${double.url}/stall`))))
      assert.strictEqual((yield* get(`${double.url}/trickle`)).body, "abc")
      assert.lengthOf(yield* first(`${double.url}/endless`, 1_000_000), 1_000_000)
      assert.strictEqual((yield* Effect.flip(get(`${double.url}/reset`))).code, "ECONNRESET")
      assert.strictEqual((yield* Effect.flip(get(`${double.url}/truncate`))).message, "aborted")
      const bad = yield* get(`${double.url}/bad`)
      assert.throws(() => {
        JSON.parse(bad.body)
      })
    })
  )

  it.scopedLive("fails before the headers: resets, hangs, is slow, speaks no HTTP", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({
        routes: {
          "/reset": Behaviour.reset,
          "/hang": Behaviour.hang,
          "/slow": Behaviour.slowHeaders(1, Behaviour.text(200, "late")),
          "/raw": Behaviour.raw("220 mail.example ESMTP\r\n"),
          "/skewed": Behaviour.withDate(-3600, Behaviour.text(200, "old"))
        }
      })
      assert.strictEqual((yield* Effect.flip(get(`${double.url}/reset`))).code, "ECONNRESET")
      assert.isTrue(yield* silentFor(yield* Effect.fork(get(`${double.url}/hang`))))
      assert.strictEqual((yield* get(`${double.url}/slow`)).body, "late")
      assert.match((yield* Effect.flip(get(`${double.url}/raw`))).code ?? "", /^HPE_/)
      const skewed = yield* get(`${double.url}/skewed`)
      assert.isBelow(Date.parse(skewed.headers.date ?? ""), Date.now() - 3_500_000)
    })
  )

  it.scopedLive("stops, refuses, and starts on its port", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.make({ routes: { "*": Behaviour.hang } })
      const dropped = yield* Effect.fork(Effect.flip(get(double.url)))
      yield* double.awaitRequests(1)
      yield* double.stop
      assert.strictEqual((yield* Fiber.join(dropped)).code, "ECONNRESET")
      assert.strictEqual((yield* Effect.flip(get(double.url))).code, "ECONNREFUSED")
      yield* double.start
      yield* double.on("*", Behaviour.text(200, "back"))
      assert.strictEqual((yield* get(double.url)).body, "back")
    })
  )

  it.scopedLive("as a process it is silent while paused, and comes back after a kill", () =>
    Effect.gen(function* () {
      const double = yield* HttpDouble.makeProcess()
      yield* double.on("/", Behaviour.text(200, "here"))
      yield* double.pause
      const waiting = yield* Effect.fork(get(double.url))
      assert.isTrue(yield* silentFor(waiting))
      yield* double.resume
      assert.strictEqual((yield* Fiber.join(waiting)).body, "here")
      assert.lengthOf(yield* double.awaitRequests(1), 1)
      yield* double.kill
      assert.strictEqual((yield* Effect.flip(get(double.url))).code, "ECONNREFUSED")
      yield* double.start
      assert.strictEqual((yield* get(double.url)).body, "here")
    })
  )

  it.live("as a process it ends with its scope, paused or not", () =>
    Effect.gen(function* () {
      const scope = yield* Scope.make()
      const double = yield* HttpDouble.makeProcess().pipe(Scope.extend(scope))
      const pid = yield* Effect.fromNullable(yield* double.pid)
      yield* double.pause
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(ProcessTree.isAlive(pid))
    })
  )
})
