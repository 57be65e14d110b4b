/** PostgreSQL servers that break the rules, by name, and what the check is to find in each. */
import type { Socket } from "node:net"
import { flood } from "./HostileServer.js"

export interface Case {
  readonly name: string
  readonly script: (socket: Socket) => (turn: number) => void
  /** In the message of the result. */
  readonly found: RegExp
}

export const int32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}

export const message = (type: string, ...parts: ReadonlyArray<Buffer | string>): Buffer => {
  const body = Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part) : part))
  )
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

const header = (type: string, length: number): Buffer =>
  Buffer.concat([Buffer.from(type), int32(length)])
const ready = message("Z", "I")
const letIn = Buffer.concat([message("R", int32(0)), ready])
const column = message("T", "\0\x01", "?column?\0", Buffer.alloc(18))
const row = message("D", "\0\x01", int32(1000), Buffer.alloc(1000, 0x31))

/** These bytes for each turn; the last ones stay. */
const says =
  (...turns: ReadonlyArray<Buffer>): Case["script"] =>
  (socket) =>
  (turn) => {
    const bytes = turns[turn]
    if (bytes !== undefined) socket.write(bytes)
  }

/** The first bytes as they are, then the last ones for ever. */
const endless =
  (turns: ReadonlyArray<Buffer>, chunk: Buffer): Case["script"] =>
  (socket) =>
  (turn) => {
    const bytes = turns[turn]
    if (bytes !== undefined) socket.write(bytes)
    if (turn === Math.max(0, turns.length - 1)) flood(socket, chunk)
  }

const malformed = /malformed message/
const tooLong = /more than \d+ bytes/

export const postgresCases: ReadonlyArray<Case> = [
  {
    name: "asks for GSSAPI",
    script: says(message("R", int32(7))),
    found: /asks for Kerberos \(GSSAPI\), which is not supported/
  },
  {
    name: "asks for SSPI",
    script: says(message("R", int32(9))),
    found: /asks for Kerberos \(SSPI\), which is not supported/
  },
  {
    name: "asks for Kerberos 5",
    script: says(message("R", int32(2))),
    found: /asks for Kerberos \(version 5\), which is not supported/
  },
  {
    name: "an unknown login",
    script: says(message("R", int32(4711))),
    found: /login of the unknown kind 4711/
  },
  {
    name: "an unknown mechanism",
    script: says(message("R", int32(10), "OAUTHBEARER\0\0")),
    found: /login other than SCRAM/
  },
  {
    name: "mechanisms without an end",
    script: says(message("R", int32(10), "SCRAM-SHA-256\0")),
    found: malformed
  },
  {
    name: "a login without an end",
    script: endless([message("R", int32(3))], message("R", int32(3))),
    found: /login that does not end/
  },
  { name: "md5 without salt", script: says(message("R", int32(5))), found: malformed },
  { name: "an error without its NUL", script: says(message("E", "SFATAL")), found: malformed },
  {
    name: "an error without its last NUL",
    script: says(message("E", "SFATAL\0Mno\0")),
    found: malformed
  },
  {
    name: "an error of 60 MB",
    script: says(message("E", "SFATAL\0M", Buffer.alloc(60e6, 65), "\0\0")),
    found: tooLong
  },
  {
    name: "a length of 2 GB",
    script: endless([header("R", 0x7fffffff)], Buffer.alloc(65_536, 65)),
    found: tooLong
  },
  {
    name: "a length below zero",
    script: says(Buffer.concat([header("R", -5), Buffer.alloc(1000)])),
    found: tooLong
  },
  {
    name: "no length",
    script: says(Buffer.concat([header("R", 0), Buffer.alloc(1000)])),
    found: /length is less/
  },
  {
    name: "an unknown type",
    script: says(Buffer.concat([Buffer.from([0xff]), int32(8), int32(1)])),
    found: /unknown type 255/
  },
  {
    name: "HTTP",
    script: says(Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")),
    found: /unknown type 72/
  },
  {
    name: "a description that is cut",
    script: says(letIn, message("T", Buffer.from([0x7f, 0xff]))),
    found: malformed
  },
  {
    name: "a description without NUL",
    script: says(letIn, message("T", "\0\x01", "column")),
    found: malformed
  },
  {
    name: "a description in binary",
    script: says(letIn, message("T", "\0\x01", "c\0", Buffer.alloc(17), "\x01")),
    found: malformed
  },
  {
    name: "a row with fewer fields",
    script: says(letIn, Buffer.concat([column, message("D", "\0\0"), ready])),
    found: /another number of fields/
  },
  {
    name: "a field longer than its row",
    script: says(letIn, Buffer.concat([column, message("D", "\0\x01", int32(0x7fffffe0))])),
    found: malformed
  },
  {
    name: "a row without description",
    script: says(letIn, row),
    found: /another number of fields/
  },
  { name: "rows without end", script: endless([letIn, column], row), found: tooLong },
  {
    name: "empty rows without end",
    script: endless([letIn, message("T", "\0\0")], message("D", "\0\0")),
    found: tooLong
  },
  {
    name: "notices without end",
    script: endless([], message("N", "SNOTICE\0C00000\0Mhello\0\0")),
    found: tooLong
  },
  {
    name: "parameters without end",
    script: endless([], message("S", "name\0value\0")),
    found: tooLong
  },
  {
    name: "notifications without end",
    script: endless([letIn, Buffer.alloc(0)], message("A", int32(1), "channel\0payload\0")),
    found: tooLong
  },
  { name: "ready without end", script: endless([letIn], ready), found: /answers nothing/ },
  { name: "copy in", script: says(letIn, message("G", "\0\0\0")), found: /unknown type 71/ },
  {
    name: "copy out without end",
    script: endless([letIn, message("H", "\0\0\0")], message("d", Buffer.alloc(1000))),
    found: /unknown type 72/
  },
  {
    name: "scram of 2,000,000,000 rounds",
    script: (socket) => {
      // What was sent before is the start-up message.
      socket.once("data", (said: Buffer) => {
        const nonce = /r=([^,\0]+)/.exec(said.toString("latin1"))?.[1] ?? ""
        socket.write(message("R", int32(11), `r=${nonce}x,s=c2FsdHNhbHRzYWx0,i=2000000000`))
      })
      return says(message("R", int32(10), "SCRAM-SHA-256\0\0"))(socket)
    },
    found: /iteration/
  }
]
