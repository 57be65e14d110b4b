/** Whether secrets can be seen in what a command left behind, in any form that a driver may give them. */
import { assert } from "@effect/vitest"
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import * as path from "node:path"
import type { CliResult } from "../support/Cli.js"

const base64 = (text: string) =>
  [0, 1, 2].flatMap((offset) => {
    const encoded = Buffer.from(`${"x".repeat(offset)}${text}`)
    // Where the text begins and ends within a group of three, its rims depend on the neighbours.
    const inner = (alphabet: "base64" | "base64url") =>
      encoded
        .toString(alphabet)
        .replace(/=+$/, "")
        .slice(offset === 0 ? 0 : offset + 1, -1)
    return [inner("base64"), inner("base64url")]
  })

const html = (text: string) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

/** Every form of a secret; halves too, as a message may have cut it in two. */
const formsOf = (secret: string): ReadonlyArray<string> => {
  const encoded = encodeURIComponent(secret)
  return [
    ...new Set([
      secret,
      encoded,
      encoded.replaceAll(/%../g, (code) => code.toLowerCase()),
      encodeURIComponent(encoded),
      JSON.stringify(secret).slice(1, -1),
      html(secret),
      secret.slice(0, Math.ceil(secret.length / 2)),
      secret.slice(Math.floor(secret.length / 2)),
      ...base64(secret)
    ])
  ].filter((form) => form.length >= 6)
}

/** All that a run has shown and kept: outputs, and the files that it wrote into its folder. */
export const traces = (result: CliResult, given: ReadonlyArray<string> = []): string => {
  const data = path.join(result.cwd, "data")
  const written = existsSync(data)
    ? readdirSync(data, { recursive: true })
        .map((name) => path.join(data, String(name)))
        .filter((file) => !given.includes(file) && statSync(file).isFile())
        .map((file) => readFileSync(file, "latin1"))
    : []
  return [result.stdout, result.stderr, ...written].join("\n")
}

export const assertNone = (text: string, secrets: ReadonlyArray<string>, where: string): void => {
  for (const secret of secrets) {
    for (const form of formsOf(secret)) {
      const at = text.indexOf(form)
      if (at >= 0)
        assert.fail(`${where}: ${form} in ...${text.slice(Math.max(0, at - 80), at + 80)}`)
    }
  }
}
