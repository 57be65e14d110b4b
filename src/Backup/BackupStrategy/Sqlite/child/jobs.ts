/** What the thread of SQLite does. */
import { type Copied, type CopyInput, copy } from "./Copy.js"
import { load } from "./Database.js"
import {
  type Facts,
  type InspectInput,
  inspect,
  look,
  type LookInput,
  type Present
} from "./Inspect.js"
import type { Job } from "./Thread.js"
import { resize, type ResizeInput, write, type WriteInput, type Written } from "./Write.js"

const job = <A, B>(definition: Job<A, B>): Job<A, B> => definition

/** @internal */
export const jobs = {
  copy: job<CopyInput, Copied>({
    role: () => "database",
    subject: ({ database }) => database,
    target: ({ target }) => target,
    run: copy
  }),
  inspect: job<InspectInput, Facts>({
    role: ({ role }) => role,
    subject: ({ subject }) => subject,
    run: inspect
  }),
  load: job<object, undefined>({
    role: () => "place",
    subject: () => "SQLite",
    run: load
  }),
  look: job<LookInput, Present>({
    role: () => "database",
    subject: ({ database }) => database,
    run: look
  }),
  resize: job<ResizeInput, string | undefined>({
    role: () => "place",
    subject: ({ target }) => target,
    run: resize
  }),
  write: job<WriteInput, Written>({
    role: () => "database",
    subject: ({ database }) => database,
    run: write
  })
}
