/**
 * Messages that did not arrive in time, made one that tells the story: what is true now first, then
 * what happened in between. Pure.
 *
 * @internal
 */
import type { Alert, Subject } from "../Alert.js"
import { worst } from "../Alert.js"
import * as AlertText from "../AlertText.js"

/** How many lines a story may have. Of more, the first and the last ones are told. */
const longest = 20

export const collapse = (late: readonly [Alert, ...ReadonlyArray<Alert>]): Alert => {
  const [first, ...rest] = late
  const last = rest.at(-1)
  if (last === undefined) return first
  const [lead, ...others] = subjectsOf(late)
  return {
    // The same messages make the same key, more of them another one.
    key: `${first.key}..${last.key}`,
    channel: first.channel,
    kind: "story",
    severity: worst([lead, ...others].map(({ severity }) => severity)),
    at: last.at,
    subjects: [lead, ...others],
    affected: last.affected,
    ...(last.affectedLabels === undefined ? {} : { affectedLabels: last.affectedLabels }),
    insteadOf: late.find(({ insteadOf }) => insteadOf !== null)?.insteadOf ?? null,
    story: shortened(late.flatMap(storyOf)),
    ...(last.timeZone === undefined ? {} : { timeZone: last.timeZone })
  }
}

/** The last word on each incident; what is still open first. */
const subjectsOf = (
  late: readonly [Alert, ...ReadonlyArray<Alert>]
): readonly [Subject, ...ReadonlyArray<Subject>] => {
  const latest = new Map<string, Subject>()
  for (const { subjects } of late) {
    for (const subject of subjects) {
      latest.set(subject.incident, subject)
      for (const other of subject.also ?? []) latest.delete(other)
    }
  }
  const all = [...latest.values()]
  const [lead = late[0].subjects[0], ...others] = [
    ...all.filter(({ over }) => !over),
    ...all.filter(({ over }) => over)
  ]
  return [lead, ...others]
}

const storyOf = (alert: Alert): ReadonlyArray<string> =>
  alert.kind === "story"
    ? alert.story
    : [`${AlertText.time(alert, alert.at)} ${AlertText.title(alert)}`]

const shortened = (story: ReadonlyArray<string>): ReadonlyArray<string> => {
  if (story.length <= longest) return story
  const half = longest / 2
  const left = story.length - longest
  return [...story.slice(0, half), `... ${left} more ...`, ...story.slice(-half)]
}
