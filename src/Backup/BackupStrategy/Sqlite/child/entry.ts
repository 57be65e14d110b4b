/**
 * The child process that does all work on SQLite files: scripts/programs.mjs makes one text
 * of it.
 *
 * Closing any descriptor of a database file drops the POSIX locks that the process has on it, so none
 * of this may happen in a program that may have the database open. The child is a process that has
 * not; it ends when its parent does, and being killed at any moment is part of its contract: SQLite
 * rolls back what was not committed, and nothing else is changed in place.
 *
 * It is plain functions over better-sqlite3, without Effect: a few megabytes instead of forty.
 */
import type { Carried } from "./carried.js"
import { jobs } from "./jobs.js"
import { serve } from "./serve.js"
import * as Thread from "./Thread.js"

declare const carried: Carried

if (Thread.isMainThread) serve(carried)
else Thread.serve(jobs)
