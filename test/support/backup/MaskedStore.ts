/**
 * A store that keeps another text than it is given, as one that encrypts does: what lies below has other bytes,
 * other sizes and no file that anybody could use.
 */
import { Effect, Option, Stream } from "effect"
import type { Content, ObjectStore } from "../../../src/Backup/ObjectStore.js"

/** Manifests, locks and what is not finished stay readable: the names tell. */
const isOpen = (key: string): boolean => key.startsWith(".") || key.endsWith(".json")

const mask = (chunk: Uint8Array): Uint8Array => chunk.map((byte) => byte ^ 0x5a)
const head = new TextEncoder().encode("masked\n")

export const make = (below: ObjectStore): ObjectStore => ({
  ...below,
  list: (wanted) =>
    Effect.map(below.list(wanted), (entries) =>
      entries.map((entry) =>
        isOpen(entry.key) ? entry : { ...entry, bytes: entry.bytes - head.length }
      )
    ),
  get: (key) =>
    isOpen(key)
      ? below.get(key)
      : Effect.map(
          below.get(key),
          Option.map((found) => ({
            ...found,
            file: undefined,
            parts: found.parts.map((part) => ({
              ...part,
              bytes: (part.bytes ?? 0) - head.length,
              content: Stream.map(withoutHead(part.content), mask)
            }))
          }))
        ),
  putIfAbsent: (key, content, options) =>
    isOpen(key)
      ? below.putIfAbsent(key, content, options)
      : below.putIfAbsent(key, masked(content), {
          beforeCommit: options?.beforeCommit,
          onAlive: options?.onAlive
        })
})

const masked = ({ parts }: Content): Content => ({
  parts: parts.map((part) => ({
    ...part,
    // Of what comes out nothing is known before.
    bytes: undefined,
    sha256: undefined,
    content: Stream.concat(Stream.make(head), Stream.map(part.content, mask))
  }))
})

const withoutHead = <E>(content: Stream.Stream<Uint8Array, E>): Stream.Stream<Uint8Array, E> =>
  Stream.mapAccum(content, head.length, (left, chunk) => {
    const cut = Math.min(left, chunk.length)
    return [left - cut, chunk.subarray(cut)]
  })
