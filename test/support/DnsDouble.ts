/** A name server on loopback, over UDP, that answers as it is told. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as dgram from "node:dgram"
import { fromUnknown, type ServerError } from "./ServerError.js"

/** Records as a zone file writes them: `{ "A example.test": ["192.0.2.1"] }`. */
export type Zone = Readonly<Record<string, ReadonlyArray<string>>>

/** What it does instead of answering: a code of DNS, silence, or bytes that are no answer. */
export type Fault = "servfail" | "refused" | "silent" | "garbage"

export interface DnsDouble {
  /** `127.0.0.1:port`, as a resolver's `servers` take it. */
  readonly server: string
  /** Questions so far, such as `MX example.test`. */
  readonly questions: Effect.Effect<ReadonlyArray<string>>
  readonly awaitQuestions: (count: number) => Effect.Effect<void>
  readonly fault: (fault: Fault | undefined) => Effect.Effect<void>
}

const types: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33
}

export interface Options {
  /** Any free port by default. */
  readonly port?: number
  readonly address?: string
  /** Questions about names that end so get no answer. */
  readonly silentFor?: string
}

export const make = (
  zone: Zone,
  options: Options = {}
): Effect.Effect<DnsDouble, ServerError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<State, ServerError>((resume) => {
      const socket = dgram.createSocket("udp4")
      const state: State = { socket, questions: [], waiting: new Set(), fault: undefined }
      socket.on("message", (query, client) => {
        const question = parse(query)
        state.questions.push(question.text)
        for (const check of state.waiting) check()
        const { silentFor } = options
        const silent = silentFor !== undefined && question.name.endsWith(silentFor)
        const answer = respond(zone, query, question, silent ? "silent" : state.fault)
        if (answer !== undefined) socket.send(answer, client.port, client.address)
      })
      socket.once("error", (cause) =>
        resume(Effect.fail(fromUnknown("dns double", "listen")(cause)))
      )
      socket.bind(options.port ?? 0, options.address ?? "127.0.0.1", () =>
        resume(Effect.succeed(state))
      )
    }),
    ({ socket }) => Effect.async<void>((resume) => void socket.close(() => resume(Effect.void)))
  ).pipe(
    Effect.map((state) => ({
      server: `127.0.0.1:${state.socket.address().port}`,
      questions: Effect.sync(() => [...state.questions]),
      awaitQuestions: (count) =>
        Effect.async((resume) => {
          const check = () => {
            if (state.questions.length < count) return
            state.waiting.delete(check)
            resume(Effect.void)
          }
          state.waiting.add(check)
          check()
          return Effect.sync(() => state.waiting.delete(check))
        }),
      fault: (fault) =>
        Effect.sync(() => {
          state.fault = fault
        })
    }))
  )

interface State {
  readonly socket: dgram.Socket
  readonly questions: Array<string>
  readonly waiting: Set<() => void>
  fault: Fault | undefined
}

interface Question {
  readonly text: string
  readonly name: string
  readonly type: string
  /** Where the question section ends. */
  readonly end: number
}

const parse = (query: Buffer): Question => {
  const labels: Array<string> = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length))
    at += length + 1
  }
  const code = query.readUInt16BE(at + 1)
  const type = Object.keys(types).find((name) => types[name] === code) ?? String(code)
  const name = labels.join(".").toLowerCase()
  return { text: `${type} ${name}`, name, type, end: at + 5 }
}

const rcodes = { servfail: 2, refused: 5 } as const

const respond = (
  zone: Zone,
  query: Buffer,
  question: Question,
  fault: Fault | undefined
): Buffer | undefined => {
  if (fault === "silent") return undefined
  if (fault === "garbage") return Buffer.concat([query.subarray(0, 2), Buffer.from("garbage")])
  const records = fault === undefined ? (zone[question.text] ?? []) : []
  const known = Object.keys(zone).some((key) => key.endsWith(` ${question.name}`))
  const rcode = fault === undefined ? (known ? 0 : 3) : rcodes[fault]
  const header = Buffer.alloc(12)
  query.copy(header, 0, 0, 2)
  header.writeUInt16BE(0x8580 | rcode, 2)
  header.writeUInt16BE(1, 4)
  header.writeUInt16BE(records.length, 6)
  return Buffer.concat([
    header,
    query.subarray(12, question.end),
    ...records.map((record) => answer(question.type, record))
  ])
}

const answer = (type: string, record: string): Buffer => {
  const data = dataOf(type, record)
  const head = Buffer.alloc(12)
  head.writeUInt16BE(0xc00c, 0) // the name of the question
  head.writeUInt16BE(types[type] ?? 0, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(60, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, data])
}

const dataOf = (type: string, record: string): Buffer => {
  const fields = record.split(" ")
  const host = () => nameOf(fields[fields.length - 1] ?? "")
  switch (type) {
    case "A":
      return Buffer.from(record.split(".").map(Number))
    case "AAAA":
      return Buffer.from(record.replaceAll(":", ""), "hex") // written in full
    case "TXT":
      return Buffer.concat([Buffer.from([record.length]), Buffer.from(record)])
    case "MX":
    case "SRV":
      return Buffer.concat([...fields.slice(0, -1).map((field) => uint16(Number(field))), host()])
    default:
      return host()
  }
}

const uint16 = (value: number): Buffer => {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

const nameOf = (name: string): Buffer =>
  Buffer.concat([
    ...name
      .split(".")
      .map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)])),
    Buffer.from([0])
  ])
