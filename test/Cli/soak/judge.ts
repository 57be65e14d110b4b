/**
 * What must hold at the receiver, whatever happened in between. Pure.
 */
import type { Probed, Received } from "./World.js"

export interface Expected {
  /** Two ids of one outage may live: a run that could not read the journal has told of it too. */
  readonly mayTellTwice: boolean
  /** The clock of the program is that of the receiver. */
  readonly hasClock: boolean
}

/** Everything that is wrong with what was received. */
export const judge = (
  received: ReadonlyArray<Received>,
  probed: ReadonlyArray<Probed>,
  expected: Expected
): ReadonlyArray<string> => [
  ...pairs(received),
  ...(expected.mayTellTwice ? [] : alone(received)),
  ...sameUnderOneKey(received),
  ...(expected.hasClock ? falseAlarms(received, probed) : [])
]

const isEnd = (over: boolean, kind: string) => over || kind === "resolved"

/** What a receiver makes of it that drops a key which it has taken. */
const kept = (received: ReadonlyArray<Received>): ReadonlyArray<Received> => {
  const keys = new Set<string>()
  return received.filter(({ isTaken, key }) => {
    if (!isTaken || keys.has(key)) return false
    keys.add(key)
    return true
  })
}

/** Every incident that was told has its end, and none has an end that was not told. */
const pairs = (received: ReadonlyArray<Received>): ReadonlyArray<string> => {
  const told = new Map<string, "open" | "over">()
  const wrong: Array<string> = []
  for (const { alert } of kept(received)) {
    for (const { incident, over } of alert.services) {
      const before = told.get(incident)
      const isOver = isEnd(over, alert.kind)
      // A story tells the beginning too.
      if (isOver && before === undefined && alert.kind !== "story") {
        wrong.push(`${incident} has an end and was never opened`)
      }
      if (!isOver && before === "over") wrong.push(`${incident} is told again after its end`)
      told.set(incident, isOver ? "over" : "open")
    }
  }
  const open = [...told].flatMap(([incident, state]) => (state === "open" ? [incident] : []))
  return [...wrong, ...open.map((incident) => `${incident} never gets its end`)]
}

/** No service has two incidents at a time. */
const alone = (received: ReadonlyArray<Received>): ReadonlyArray<string> => {
  const live = new Map<string, string>()
  const wrong: Array<string> = []
  for (const { alert } of kept(received)) {
    // A story that tells of an end and of the next beginning has what is open first.
    const inOrder = [...alert.services].sort((one, two) => Number(two.over) - Number(one.over))
    for (const { incident, over, service } of inOrder) {
      const other = live.get(service)
      if (isEnd(over, alert.kind)) {
        if (other === incident) live.delete(service)
      } else if (other !== undefined && other !== incident) {
        wrong.push(`${service} has two incidents at a time: ${other} and ${incident}`)
      } else live.set(service, incident)
    }
  }
  return wrong
}

/** A key has one content, and an end that may have been taken has one key. */
const sameUnderOneKey = (received: ReadonlyArray<Received>): ReadonlyArray<string> => {
  const bodies = new Map<string, string>()
  const ends = new Map<string, string>()
  const wrong: Array<string> = []
  for (const { alert, isTaken, key } of received) {
    // Each run has a name of its own here.
    const body = JSON.stringify({ ...alert, installation: null })
    if ((bodies.get(key) ?? body) !== body) wrong.push(`${key} has two contents`)
    bodies.set(key, body)
    if (!isTaken) continue
    for (const { incident, over } of alert.services) {
      if (!isEnd(over, alert.kind)) continue
      const before = ends.get(incident)
      if (before !== undefined && before !== key) {
        wrong.push(`${incident} has its end under two keys: ${before} and ${key}`)
      }
      ends.set(incident, key)
    }
  }
  return wrong
}

/** Nothing is opened for a service that was healthy when that was decided. */
const falseAlarms = (
  received: ReadonlyArray<Received>,
  probed: ReadonlyArray<Probed>
): ReadonlyArray<string> =>
  received.flatMap(({ alert }) => {
    if (alert.kind !== "opened") return []
    const decided = Date.parse(alert.timestamp)
    return alert.services.flatMap(({ incident, message, over, service }) => {
      // A machine that is busy elsewhere may not hear an answer in time.
      if (over || /within|timed? ?out/i.test(message)) return []
      const last = probed.filter((one) => one.service === service && one.at <= decided).slice(-2)
      return last.length === 2 && last.every(({ isUp }) => isUp)
        ? [`${incident} is opened while ${service} is healthy`]
        : []
    })
  })
