/**
 * Installs missing server binaries on Debian and Ubuntu, as root, without starting what the
 * packages bring: the test support runs private instances only, and a server on a default port
 * is not its business.
 *
 * Everything that must be undone is done in one shell script with a trap, so that an interrupted
 * run leaves neither a policy-rc.d nor a createcluster setting behind.
 */
import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"
import { existsSync } from "node:fs"
import type { Service } from "./Binaries.js"
import { ServerError } from "./ServerError.js"

const debianPackages: Record<Service, string> = { postgres: "postgresql", redis: "redis-server" }
const brewPackages: Record<Service, string> = { postgres: "postgresql", redis: "redis" }

/** The line that a person types where this module may not act. */
export const installLine = (services: ReadonlyArray<Service>): string =>
  process.platform === "darwin"
    ? `brew install ${services.map((service) => brewPackages[service]).join(" ")}`
    : `sudo apt-get install -y ${services.map((service) => debianPackages[service]).join(" ")}`

export const canInstall = (): boolean =>
  process.getuid?.() === 0 && existsSync("/etc/debian_version") && existsSync("/usr/bin/apt-get")

export const install = (services: ReadonlyArray<Service>): Effect.Effect<void, ServerError> =>
  Effect.async((resume) => {
    const packages = services.map((service) => debianPackages[service])
    const child = execFile(
      "/bin/sh",
      ["-c", script, "install", ...packages],
      { env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" }, maxBuffer: 64 * 1024 * 1024 },
      (error, stdout, stderr) => {
        resume(
          error === null
            ? Effect.void
            : Effect.fail(
                new ServerError({
                  server: packages.join(" "),
                  operation: "apt-get install",
                  detail: (stderr + stdout).trim().slice(-2000),
                  cause: error
                })
              )
        )
      }
    )
    return Effect.sync(() => child.kill("SIGTERM"))
  })

/** Exported for its test, which runs it on folders of its own. */
export const script = `
set -eu
policy=/usr/sbin/policy-rc.d
kept="$policy.holter-$$"
clusters=/etc/postgresql-common/createcluster.d
setting="$clusters/holter-test.conf"
made=
placed=

restore() {
  # Only what this script has put there: a policy that could not be moved aside is the machine's own.
  if [ -n "$placed" ]; then rm -f "$policy"; fi
  rm -f "$setting"
  if [ -e "$kept" ] || [ -L "$kept" ]; then mv "$kept" "$policy"; fi
  for folder in $made; do rmdir "$folder" 2>/dev/null || true; done
}
trap restore EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

if [ -e "$policy" ] || [ -L "$policy" ]; then mv "$policy" "$kept"; fi
placed=yes
printf '#!/bin/sh\\nexit 101\\n' > "$policy"
chmod 755 "$policy"

for folder in /etc/postgresql-common "$clusters"; do
  if [ ! -d "$folder" ]; then mkdir "$folder"; made="$folder $made"; fi
done
printf 'create_main_cluster = false\\n' > "$setting"

fetch() { apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends "$@"; }
fetch "$@" || { apt-get update && fetch "$@"; }
`
