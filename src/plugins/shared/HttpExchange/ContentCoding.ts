/**
 * Bodies that a server packed, whether it was asked to or not.
 *
 * What comes out is bounded as what comes in is: a few kilobytes can stand for gigabytes. It is
 * unpacked at once and not by the threads that Node has for files, which a dead disk can hold.
 *
 * @internal
 */
import { Either } from "effect"
import * as zlib from "node:zlib"
import * as Errors from "../../../Common/Errors.js"
import { hostOf, type Outgoing, type Reply } from "./Exchange.js"
import * as HttpFault from "./HttpFault.js"

/** The reply with its body as it was before it was packed, or with the fault of the body. */
export const unpacked = (reply: Reply, request: Outgoing): Reply => {
  const codings = codingsOf(reply)
  if (codings.length === 0 || reply.bytes.length === 0) return reply
  const plain = codings.reduceRight<Either.Either<Uint8Array, HttpFault.HttpFault>>(
    (bytes, coding) => Either.flatMap(bytes, (packed) => unpack(packed, coding, reply, request)),
    codings.length > mostCodings
      ? Either.left(malformed(request, "the body is packed more than five times over"))
      : Either.right(reply.bytes)
  )
  return Either.match(plain, {
    // Why the packed body is not whole says more than that it cannot be unpacked.
    onLeft: (fault) => reply.remarked({ bodyFault: reply.bodyFault ?? fault }, []),
    onRight: (bytes) => reply.remarked({}, [bytes])
  })
}

/** As many as curl takes. */
const mostCodings = 5

const codingsOf = (reply: Reply): ReadonlyArray<string> =>
  (reply.header("content-encoding") ?? "")
    .split(",")
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== "" && name !== "identity")

const unpack = (
  packed: Uint8Array,
  coding: string,
  reply: Reply,
  request: Outgoing
): Either.Either<Uint8Array, HttpFault.HttpFault> => {
  const decoder = decoderFor(coding, packed)
  if (decoder === undefined) {
    const name = JSON.stringify(coding.slice(0, 32))
    const problem = `the body is packed in a way that is not known (${name}); expected gzip, deflate or br`
    return Either.left(
      malformed(request, `${problem}: set the header accept-encoding to one of them`)
    )
  }
  const limit = { maxOutputLength: request.maxBytes }
  // The beginning of a body that was cut has no end.
  return Either.try({
    try: () => (reply.bodyFault === undefined ? decoder.whole(limit) : decoder.beginning(limit)),
    catch: (error) =>
      Errors.codeOf(error) === "ERR_BUFFER_TOO_LARGE"
        ? HttpFault.tooLarge(
            hostOf(request.url),
            request.maxBytes,
            `unpacking it (${coding}) was stopped there`
          )
        : malformed(request, `the body does not unpack; its header says that it is ${coding}`)
  })
}

interface Decoder {
  readonly whole: (limit: Limit) => Uint8Array
  readonly beginning: (limit: Limit) => Uint8Array
}

interface Limit {
  readonly maxOutputLength: number
}

const decoderFor = (coding: string, packed: Uint8Array): Decoder | undefined => {
  if (coding === "gzip" || coding === "x-gzip") return byZlib(zlib.gunzipSync, packed)
  if (coding === "deflate") {
    return byZlib(isZlib(packed) ? zlib.inflateSync : zlib.inflateRawSync, packed)
  }
  if (coding !== "br") return undefined
  const finishFlush = zlib.constants.BROTLI_OPERATION_FLUSH
  return {
    whole: (limit) => zlib.brotliDecompressSync(packed, limit),
    beginning: (limit) => zlib.brotliDecompressSync(packed, { ...limit, finishFlush })
  }
}

const byZlib = (
  decode: (bytes: Uint8Array, options: zlib.ZlibOptions) => Uint8Array,
  packed: Uint8Array
): Decoder => ({
  whole: (limit) => decode(packed, limit),
  beginning: (limit) => decode(packed, { ...limit, finishFlush: zlib.constants.Z_SYNC_FLUSH })
})

/** Some servers send `deflate` without the header of zlib that belongs to it. */
const isZlib = ([first = 0, second = 0]: Uint8Array): boolean =>
  (first & 0x0f) === 8 && ((first << 8) | second) % 31 === 0

const malformed = ({ url }: Outgoing, problem: string): HttpFault.HttpFault =>
  new HttpFault.HttpFault({
    host: hostOf(url),
    reason: "Malformed",
    problem,
    isRetryable: false
  })
