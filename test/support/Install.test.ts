/** The script that installs what is missing, on folders of its own and with an apt-get of the test's. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs"
import * as path from "node:path"
import { findInPath } from "./Binaries.js"
import { script } from "./Install.js"
import * as TempDir from "./TempDir.js"

const tools = ["chmod", "mkdir", "mv", "rm", "rmdir"]

/** A machine of which only these tools are there, and an apt-get that writes down what it sees. */
const machine = (options: { readonly without?: string; readonly aptGet?: string } = {}) =>
  Effect.map(TempDir.make("install"), (root) => {
    const bin = path.join(root, "bin")
    mkdirSync(bin)
    for (const tool of tools.filter((name) => name !== options.without)) {
      symlinkSync(findInPath(tool, process.env.PATH ?? "") ?? "", path.join(bin, tool))
    }
    const policy = path.join(root, "policy-rc.d")
    const seen = path.join(root, "seen")
    const aptGet = `#!/bin/sh\nwhile read -r line; do echo "$line"; done < ${policy} > ${seen}\n`
    writeFileSync(path.join(bin, "apt-get"), `${aptGet}${options.aptGet ?? "exit 0"}\n`)
    chmodSync(path.join(bin, "apt-get"), 0o755)
    const clusters = path.join(root, "postgresql-common")
    const run = () =>
      spawnSync(
        "/bin/sh",
        [
          "-c",
          script
            .replaceAll("/usr/sbin/policy-rc.d", policy)
            .replaceAll("/etc/postgresql-common", clusters),
          "install",
          "some-package"
        ],
        { env: { PATH: bin } }
      ).status
    return { policy, seen, clusters, run }
  })

const own = "#!/bin/sh\n# the machine's own\nexit 0\n"

describe("installing what is missing", () => {
  it.scopedLive("starts nothing meanwhile, and leaves the machine as it was", () =>
    Effect.gen(function* () {
      const { clusters, policy, run, seen } = yield* machine()
      assert.strictEqual(run(), 0)
      assert.include(readFileSync(seen, "utf8"), "exit 101")
      assert.isFalse(existsSync(policy))
      assert.isFalse(existsSync(clusters))
    })
  )

  for (const [what, options, code] of [
    ["after a success", {}, 0],
    ["after a failure of apt-get", { aptGet: "exit 100" }, 100],
    ["where it cannot be moved aside", { without: "mv" }, 127]
  ] as const) {
    it.scopedLive(`leaves the machine's own policy as it was ${what}`, () =>
      Effect.gen(function* () {
        const { policy, run } = yield* machine(options)
        writeFileSync(policy, own)
        assert.strictEqual(run(), code)
        assert.strictEqual(readFileSync(policy, "utf8"), own)
      })
    )
  }
})
