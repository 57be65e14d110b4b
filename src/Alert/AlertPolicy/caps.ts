/**
 * A cap on the messages of one check on one channel. It counts what was sent, so a recovery does not
 * reset it; a resolve that is owed is not counted and not held back.
 *
 * @internal
 */
import type { Suppression } from "./Suppression.js"
import * as Draft from "./Draft.js"
import * as Format from "../../Common/Format.js"

export const blockOf = (
  draft: Draft.Draft,
  service: string,
  channel: string
): Suppression | undefined => {
  const { messages, within } = draft.policy.cap
  const sent = recent(draft, service, channel)
  const oldest = sent[sent.length - messages]
  if (oldest === undefined) return undefined
  return {
    reason: "Cap",
    rule: "cap",
    id: `Cap:${channel}`,
    why: `${channel} had ${messages} messages about it within ${Format.span(within)}, which is the cap`,
    until: oldest + within
  }
}

export const count = (draft: Draft.Draft, service: string, channel: string): void => {
  const check = Draft.check(draft, service)
  const sent = [...recent(draft, service, channel), draft.now].slice(-draft.policy.cap.messages)
  Draft.setCheck(draft, service, { ...check, sent: { ...check.sent, [channel]: sent } })
}

const recent = (draft: Draft.Draft, service: string, channel: string): ReadonlyArray<number> =>
  (Draft.check(draft, service).sent[channel] ?? []).filter(
    (time) => time > draft.now - draft.policy.cap.within
  )
