/**
 * A program in a network and a mount of its own, with its own /etc/resolv.conf, /etc/hosts and
 * /etc/nsswitch.conf: nothing of it leaves the machine. Linux, as root.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import * as path from "node:path"
import * as ManagedProcess from "./ManagedProcess.js"
import type { ServerError } from "./ServerError.js"
import * as TempDir from "./TempDir.js"

export interface Files {
  readonly resolvConf: string
  readonly hosts?: string
  readonly nsswitch?: string
}

/** What the program wrote to standard output, with how it ended. */
export const run = (
  program: string,
  files: Files,
  args: ReadonlyArray<string> = []
): Effect.Effect<
  { readonly stdout: string; readonly stderr: string; readonly code: number | null },
  ServerError,
  Scope.Scope
> =>
  Effect.gen(function* () {
    const folder = yield* TempDir.make("namespace")
    const contents = {
      "resolv.conf": files.resolvConf,
      hosts: files.hosts ?? "127.0.0.1 localhost\n",
      "nsswitch.conf": files.nsswitch ?? "hosts: files dns\n"
    }
    for (const [name, text] of Object.entries(contents)) {
      writeFileSync(path.join(folder, name), text)
    }
    const binds = Object.keys(contents).map(
      (name) => `mount --bind "${folder}/${name}" /etc/${name}`
    )
    // No `ip` is needed to bring the loopback up: perl is part of every Debian.
    const up = `perl -MSocket -e 'socket(S,AF_INET,SOCK_DGRAM,0); $r=pack("a16s","lo",0x41); ioctl(S,0x8914,$r) or die'`
    const script = [...binds, up, `exec "$@"`].join(" && ")
    const managed = yield* ManagedProcess.start({
      name: "namespace",
      command: "unshare",
      args: ["-nm", "sh", "-c", script, "sh", process.execPath, program, ...args],
      cwd: folder,
      env: { PATH: process.env["PATH"] ?? "", HOME: folder }
    })
    const { code } = yield* managed.exit
    return { stdout: managed.stdout(), stderr: managed.stderr(), code }
  })

export const isPermitted = (): boolean =>
  process.platform === "linux" && spawnSync("unshare", ["-nm", "true"]).status === 0
