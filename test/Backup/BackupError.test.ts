import { assert, describe, it } from "@effect/vitest"
import { BackupError } from "../../src/Backup/BackupError.js"

describe("BackupError", () => {
  const said = (found: string, advice?: string) =>
    new BackupError({ reason: "ToolFailed", subject: "db", expected: "it", found, advice }).message

  it("ends each of its sentences once, however others have ended theirs", () => {
    assert.strictEqual(said("nothing", "Look"), "db: expected it, found nothing. Look.")
    assert.strictEqual(
      said("Key (id)=(1) is there.", "Look."),
      said("Key (id)=(1) is there", "Look")
    )
    assert.strictEqual(said("the end of it.;\n"), "db: expected it, found the end of it.")
  })
})
