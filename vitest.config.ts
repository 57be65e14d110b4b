import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    environment: "node",
    include: ["test/**/*.test.ts"],
    // Finds the machine's PostgreSQL and Redis and prepares private instances of them.
    globalSetup: ["test/support/globalSetup.ts"],
    // Suites block the event loop, send signals and set process-wide state: a process for each file.
    pool: "forks",
    // A lonely test must not turn the others off unnoticed, on a developer's machine either.
    allowOnly: false,
    testTimeout: 30_000,
    hookTimeout: 60_000
  }
})
