/**
 * The notices of what the bundle carries: of each package whose code is in it, name, version and the text
 * of its license. A package of which no license is known stops the
 * build.
 */
import { readdir, readFile } from "node:fs/promises"
import { join, resolve } from "node:path"

/** The text, from the inputs that esbuild names in its metafiles, relative to `root`. */
export const notices = async (root, inputs) => {
  const folders = [...new Set(inputs.flatMap((file) => folderOf(file) ?? []))].sort()
  const packages = await Promise.all(folders.map((folder) => noticeOf(resolve(root, folder))))
  const distinct = new Map(packages.map((one) => [one.title, one]))
  return [
    "dist/cli.cjs, dist/driver-*.cjs and the text.js in dist contain code of these packages.\n",
    ...[...distinct.values()].map(({ text, title }) => `${"-".repeat(80)}\n${title}\n\n${text}\n`)
  ].join("\n")
}

/** `node_modules/pg/node_modules/@scope/name` of a file in it. */
const folderOf = (file) =>
  /^(?:[\w-]+:)?((?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(file)?.[1]

const noticeOf = async (folder) => {
  const { license, name, version } = JSON.parse(
    await readFile(join(folder, "package.json"), "utf8")
  )
  const files = (await readdir(folder)).filter((file) =>
    /^(licen[sc]e|copying|notice)\b/i.test(file)
  )
  const texts = await Promise.all(files.sort().map((file) => readFile(join(folder, file), "utf8")))
  if (texts.length === 0 && license === undefined) {
    throw new Error(`no license of ${name} is known`)
  }
  const text = texts.length > 0 ? texts.join("\n") : await otherwise(folder, license)
  return { title: `${name} ${version} (${license ?? "see below"})`, text: text.trim() }
}

/** Where a package has no file for it, its README may say it; else the name of the license stands. */
const otherwise = async (folder, license) => {
  const readme = (await readdir(folder)).find((file) => /^readme/i.test(file))
  const text = readme === undefined ? "" : await readFile(join(folder, readme), "utf8")
  const part = /^#+\s*licen[sc]e[^]*$/im.exec(text)?.[0]
  return part ?? `Licensed under ${license}; the package carries no text of it.`
}
