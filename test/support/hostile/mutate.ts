/** Recorded good answers, made bad: the same ones for the same seed. */
import * as Effect from "effect/Effect"
import * as net from "node:net"

export type Recording = ReadonlyArray<Buffer>

/** What a server answers, turn by turn, while `use` talks to it through this port. */
export const record = <E, R>(
  target: { readonly host: string; readonly port: number },
  use: (port: number) => Effect.Effect<unknown, E, R>
): Effect.Effect<Recording, E, R> =>
  Effect.scoped(
    Effect.gen(function* () {
      const turns: Array<Array<Buffer>> = []
      const sockets = new Set<net.Socket>()
      const server = yield* Effect.acquireRelease(
        Effect.async<net.Server>((resume) => {
          const listening = net.createServer((client) => {
            const upstream = net.connect(target.port, target.host)
            for (const socket of [client, upstream]) {
              sockets.add(socket)
              socket.on("error", () => {})
            }
            client.on("data", (asked) => {
              turns.push([])
              upstream.write(asked)
            })
            upstream.on("data", (answer) => {
              turns.at(-1)?.push(answer)
              client.write(answer)
            })
          })
          listening.listen(0, "127.0.0.1", () => resume(Effect.succeed(listening)))
        }),
        (listening) =>
          Effect.sync(() => {
            listening.close()
            for (const socket of sockets) socket.destroy()
          })
      )
      yield* use((server.address() as net.AddressInfo).port)
      return turns.map((chunks) => Buffer.concat(chunks)).filter((turn) => turn.length > 0)
    })
  )

/** The answers of one connection: one of them mutated, by this seed. */
export const mutant = (good: Recording, seed: number): Recording => {
  const random = generator(seed)
  const chosen = random(good.length)
  return good.map((turn, index) => {
    if (index !== chosen) return turn
    let bytes: Buffer = Buffer.from(turn)
    for (let left = 1 + random(3); left > 0; left--) bytes = mutated(bytes, random)
    return bytes
  })
}

type Random = (below: number) => number

/** mulberry32 */
const generator = (seed: number): Random => {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % Math.max(1, below)
  }
}

const extremes = ["\0", "\xff", "\x7f\xff\xff\xff", "\xff\xff\xff\xff", "\0\0\0\0", "\x80\0\0\0"]
const words = [
  "*4294967296\r\n",
  "$-1\r\n",
  "*-1\r\n",
  "*1\r\n",
  "$999999999\r\n",
  "\r\n",
  ":9\r\n"
]

const mutated = (bytes: Buffer, random: Random): Buffer => {
  const at = random(bytes.length)
  const length = 1 + random(Math.min(64, bytes.length - at))
  const before = bytes.subarray(0, at)
  const overwritten = (put: Buffer) => Buffer.concat([before, put, bytes.subarray(at + put.length)])
  const inserted = (put: Buffer) => Buffer.concat([before, put, bytes.subarray(at)])
  const pick = (from: ReadonlyArray<string>) =>
    Buffer.from(from[random(from.length)] ?? "", "latin1")
  switch (random(8)) {
    case 0:
      return overwritten(Buffer.from([(bytes[at] ?? 0) ^ (1 << random(8))]))
    case 1:
      return overwritten(Buffer.from([random(256)]))
    case 2:
      return overwritten(pick(extremes))
    case 3:
      return before
    case 4:
      return Buffer.concat([before, bytes.subarray(at + length)])
    case 5:
      return inserted(bytes.subarray(at, at + length))
    case 6:
      return inserted(pick(words))
    default:
      return inserted(Buffer.from(Array.from({ length }, () => random(256))))
  }
}
