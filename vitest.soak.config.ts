import { defineConfig } from "vitest/config"
import base from "./vitest.config.js"

/** `npm run test:soak`: what takes minutes, one suite after the other. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    // The last three are also part of `npm test`, with fewer rounds.
    include: [
      "test/**/*.soak.ts",
      "test/Cli/watchJournal.e2e.test.ts",
      "test/Backup/Faults.test.ts",
      "test/Backup/BackupStrategy/SqliteWriters.test.ts",
      "test/plugins/Hostile.test.ts"
    ],
    fileParallelism: false
  }
})
