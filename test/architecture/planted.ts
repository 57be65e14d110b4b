/** A small project in a temporary directory that breaks a rule, under this project's own configuration. */
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"

export const projectRoot = path.resolve(import.meta.dirname, "../..")

/** Files by their path; `root` is gone when the test ends. */
export const plant = (files: Record<string, string>): { root: string; remove: () => void } => {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), "holter-planted-")))
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.join(root, path.dirname(file)), { recursive: true })
    fs.writeFileSync(path.join(root, file), text)
  }
  for (const shared of ["package.json", "tsconfig.base.json", "tsconfig.json"]) {
    fs.copyFileSync(path.join(projectRoot, shared), path.join(root, shared))
  }
  fs.symlinkSync(path.join(projectRoot, "node_modules"), path.join(root, "node_modules"))
  return { root, remove: () => fs.rmSync(root, { recursive: true, force: true }) }
}

/** Runs a program in the planted project; a failing exit code is an answer too. */
export const run = (
  root: string,
  file: string,
  args: ReadonlyArray<string>
): Promise<{ code: number; stdout: string }> =>
  new Promise((resolve) => {
    execFile(file, args, { cwd: root, maxBuffer: 64 << 20 }, (error, stdout) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : 1
      resolve({ code, stdout })
    })
  })

/** Runs a tool of node_modules/.bin. */
export const runTool = (root: string, tool: string, args: ReadonlyArray<string>) =>
  run(root, path.join(projectRoot, "node_modules/.bin", tool), args)
