/**
 * Channels and the journal: which of them are in trouble, and what is news of it. Pure.
 */
import type { ChannelHealth } from "../../Alert/Notifier.js"
import { joined } from "../../Common/Sentences.js"
import type { Health } from "../../Monitor/Journal.js"
import type { WatchState, ChannelTrouble } from "./WatchState.js"
import { Line } from "./Lines.js"

/** The board as it is to be, where nobody has said anything about these parts. */
export const noticed = (
  board: WatchState,
  channels: ReadonlyMap<string, ChannelHealth>,
  journal: Health
): WatchState => ({
  ...board,
  channels: [...channels].flatMap(([channel, health]) => troubleOf(channel, health)),
  journal: { problem: journal.down, waiting: journal.waiting }
})

interface Change {
  readonly before: WatchState
  readonly after: WatchState
  readonly health: ReadonlyMap<string, ChannelHealth>
  readonly at: number
}

/** What changed, as lines; how much waits is no news. */
export const lines = ({ after, at, before, health }: Change): ReadonlyArray<Line> => {
  const line = (part: string, name: string, message: string) =>
    Line.part({ at, part, name, message })
  const was = new Map(before.channels.map((one) => [one.channel, one]))
  const is = new Map(after.channels.map((one) => [one.channel, one]))
  const worse = after.channels
    .filter(({ channel, disabled }) => was.get(channel)?.disabled !== disabled)
    .map(({ channel, disabled, problem }) =>
      line("channel", `${channel} ${disabled ? "disabled" : "failing"}`, problem)
    )
  const better = before.channels
    .filter(({ channel }) => !is.has(channel))
    .flatMap(({ channel }) => {
      const now = health.get(channel)
      // One that was taken out is not back; one that was enabled has to deliver first.
      if (now === undefined) return []
      const word = now.lastError === undefined ? "back" : "tried again"
      return [line("channel", `${channel} ${word}`, "")]
    })
  return [...worse, ...better, ...journalLines(before, after, line)]
}

const journalLines = (
  { journal: before }: WatchState,
  { journal: after }: WatchState,
  line: (part: string, name: string, message: string) => Line
): ReadonlyArray<Line> => {
  if (before.problem === after.problem) return []
  return after.problem === undefined
    ? [line("journal", "back", "what waited is written")]
    : before.problem === undefined
      ? [
          line(
            "journal",
            "down",
            joined(after.problem, ";", "what is to be written waits in memory")
          )
        ]
      : []
}

const troubleOf = (
  channel: string,
  { disabled, failures, lastError, waiting }: ChannelHealth
): ReadonlyArray<ChannelTrouble> =>
  disabled === undefined && failures === 0
    ? []
    : [
        {
          channel,
          waiting,
          problem: disabled ?? lastError ?? "it does not answer",
          disabled: disabled !== undefined
        }
      ]
