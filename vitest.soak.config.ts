import { defineConfig } from "vitest/config"
import base from "./vitest.config.js"

/** `npm run test:soak`: what takes minutes, one suite after the other. */
export default defineConfig({
  ...base,
  test: { ...base.test, include: ["test/**/*.soak.ts"], fileParallelism: false }
})
