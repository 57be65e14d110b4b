/**
 * What a node says of its cluster, and which keys are its own. Pure.
 *
 * @internal
 */

/** CLUSTER INFO: whether the node takes commands for keys, and how many slots no node serves. */
export interface State {
  readonly isDown: boolean
  readonly unserved: number
}

const slots = 16_384

export const state = (info: string): State => {
  const number = (field: string) =>
    Number(new RegExp(`^cluster_slots_${field}:(\\d+)`, "m").exec(info)?.[1] ?? Number.NaN)
  const unserved = slots - number("assigned") + number("fail")
  return {
    isDown: /^cluster_state:fail/m.test(info),
    unserved: Number.isNaN(unserved) ? 0 : unserved
  }
}

/** A key of that name and a number, whose slot the node serves that CLUSTER NODES calls "myself". */
export const ownKey = (nodes: string, name: string): string | undefined => {
  const ranges = ownRanges(nodes)
  if (ranges.length === 0) return undefined
  for (let number = 0; number < mostTries; number++) {
    const key = `${name}:${number}`
    const slot = slotOf(key)
    if (ranges.some(([first, last]) => first <= slot && slot <= last)) return key
  }
  return undefined
}

/** A node of one slot is found by then, but for one in ten thousand. */
const mostTries = 10 * slots

/** `<id> <address> myself,master - <ping> <pong> <epoch> connected 0-5460 7000 [7001->-<node>]` */
const ownRanges = (nodes: string): ReadonlyArray<readonly [first: number, last: number]> => {
  const own = nodes.split("\n").find((line) => /^\S+ \S+ \S*\bmyself\b/.test(line)) ?? ""
  return own
    .trim()
    .split(" ")
    .slice(8)
    .flatMap((range) => {
      const match = /^(\d+)(?:-(\d+))?$/.exec(range)
      return match === null ? [] : [[Number(match[1]), Number(match[2] ?? match[1])] as const]
    })
}

/** CRC16 (XMODEM), as the specification of the cluster has it, of a key of ASCII without braces. */
export const slotOf = (key: string): number => {
  let crc = 0
  for (let at = 0; at < key.length; at++) {
    crc ^= key.charCodeAt(at) << 8
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021
    }
  }
  return (crc & 0xffff) % slots
}
