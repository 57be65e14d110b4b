/**
 * Secrets that become more while a program runs, as when its configuration is read again: whatever hides
 * them hides those that are added as well, and goes on to hide those of before.
 *
 * @internal
 */
import * as Secrets from "./Secrets.js"

export interface GrowingSecrets {
  /** All that were added until it is asked. */
  readonly secrets: Secrets.Secrets
  readonly add: (more: Secrets.Secrets) => void
}

export const make = (first: Secrets.Secrets): GrowingSecrets => {
  let all = first
  return {
    secrets: following(() => all),
    add: (more) => {
      const isNew = [...more.values].some((value) => !all.values.has(value))
      if (isNew) all = Secrets.merge(all, more)
    }
  }
}

/** One's own, and those of others, which may become more. */
export const joined = (own: Secrets.Secrets, others: Secrets.Secrets): Secrets.Secrets => {
  let known: ReadonlySet<string> | undefined
  let all = own
  return following(() => {
    if (known !== others.values) {
      known = others.values
      all = Secrets.merge(own, others)
    }
    return all
  })
}

const following = (current: () => Secrets.Secrets): Secrets.Secrets => ({
  get values() {
    return current().values
  },
  scrub: (text) => current().scrub(text),
  scrubAll: (value) => current().scrubAll(value)
})
