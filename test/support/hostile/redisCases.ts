/** Redis servers that break the rules, by name, and what the check is to find in each. */
import { flood } from "./HostileServer.js"
import type { Case } from "./postgresCases.js"

const says =
  (text: string): Case["script"] =>
  (socket) =>
  (turn) => {
    if (turn === 0) socket.write(Buffer.from(text, "latin1"))
  }

const endless =
  (start: string, chunk: string): Case["script"] =>
  (socket) =>
  (turn) => {
    if (turn !== 0) return
    socket.write(Buffer.from(start, "latin1"))
    flood(socket, Buffer.from(chunk, "latin1"))
  }

const long = "A".repeat(65_536)
const tooMany = /more than 1024 elements/
const tooLong = /more than \d+ bytes/
const malformed = /malformed number/
const notPong = /in reply to PING, where PONG is right/
const info = "$15\r\nredis_version:7\r\n"

export const redisCases: ReadonlyArray<Case> = [
  { name: "an array of 2^32", script: says("*4294967296\r\n"), found: tooMany },
  { name: "an array of 10^9", script: says("*1000000000\r\n"), found: tooMany },
  {
    name: "30,000,000 elements, 200 times",
    script: says("*30000000\r\n".repeat(200)),
    found: tooMany
  },
  {
    name: "arrays 1,000 deep and 1,000 wide",
    script: says("*1000\r\n".repeat(1000)),
    found: tooMany
  },
  {
    name: "20,000 arrays deep",
    script: says(`${"*1\r\n".repeat(20_000)}:1\r\n`),
    found: /nested deeper/
  },
  { name: "an array of -7", script: says("*-7\r\n"), found: malformed },
  { name: "text of 10^20", script: says("$99999999999999999999\r\n"), found: malformed },
  { name: "text of 2 GB", script: endless("$2147483647\r\n", long), found: tooLong },
  { name: "text of 80 MB", script: endless("+PONG\r\n$80000000\r\n", long), found: tooLong },
  { name: "text of -5", script: says("$-5\r\n$-5\r\n"), found: malformed },
  { name: "text without its end", script: says("$4\r\nPONGxx+OK\r\n"), found: /without its end/ },
  { name: "a line without end", script: endless("+", long), found: tooLong },
  { name: "a line that ends in half", script: says("+PONG\rx\n"), found: /without its end/ },
  { name: "a number without end", script: endless(":", "9".repeat(1000)), found: tooLong },
  { name: "garbage", script: endless("", "\0\xff\x13garbage\r\n"), found: /unknown type 0/ },
  { name: "HTTP", script: says("HTTP/1.1 400 Bad Request\r\n\r\n"), found: /unknown type 72/ },
  { name: "a push of RESP3", script: says(">3\r\n$7\r\nmessage\r\n"), found: /unknown type 62/ },
  { name: "a map of RESP3", script: says("%1\r\n+a\r\n+b\r\n"), found: /unknown type 37/ },
  { name: "errors without end", script: endless("", "-ERR x\r\n"), found: /ERR x/ },
  { name: "OK without end", script: endless("", "+OK\r\n"), found: /OK|answers nothing/ },
  { name: "a number for PONG", script: says(`:999\r\n${info}`), found: notPong },
  { name: "no array for PONG", script: says(`*-1\r\n${info}`), found: notPong },
  { name: "OK for PONG", script: says(`+OK\r\n${info}`), found: notPong },
  { name: "an array for PONG", script: says(`*2\r\n+a\r\n+b\r\n${info}`), found: notPong },
  { name: "no text for PONG", script: says(`$-1\r\n${info}`), found: notPong },
  {
    name: "before it is asked",
    script: (socket) => {
      socket.write(":1\r\n:1\r\n:1\r\n")
      return () => {}
    },
    found: /answers nothing|PONG is right/
  }
]
