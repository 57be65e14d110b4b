import { fileURLToPath } from "node:url"
import { defineConfig } from "vitest/config"
import { vitePrograms } from "./scripts/programs.mjs"

const source = (path: string) => fileURLToPath(new URL(`src/${path}`, import.meta.url))

export default defineConfig({
  plugins: [vitePrograms()],
  resolve: {
    // The examples import the package by its name, as its users do.
    alias: [
      { find: /^holter$/, replacement: source("index.ts") },
      { find: /^holter\/backup\/(.*)$/, replacement: source("Backup/BackupStrategy/$1.ts") },
      { find: /^holter\/testing$/, replacement: source("testing/index.ts") },
      { find: /^holter\/plugins\/(.*)$/, replacement: source("plugins/$1.ts") }
    ]
  },
  test: {
    environment: "node",
    include: ["test/**/*.test.ts", "examples/*/test/**/*.test.ts"],
    // Finds the machine's PostgreSQL and Redis and prepares private instances of them.
    globalSetup: ["test/support/globalSetup.ts"],
    // Suites block the event loop, send signals and set process-wide state: a process for each file.
    pool: "forks",
    // A lonely test must not turn the others off unnoticed, on a developer's machine either.
    allowOnly: false,
    // Most suites wait for processes that they started: three at a time on two cores, and four tests of
    // a suite that says so (`describe.concurrent`).
    maxWorkers: 3,
    minWorkers: 3,
    maxConcurrency: 4,
    slowTestThreshold: 5000,
    testTimeout: 60_000,
    hookTimeout: 60_000
  }
})
