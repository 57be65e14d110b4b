/**
 * The environments that a command is measured in, both in one run.
 *
 * Every ratio has `node -e 0` below the line, and what that costs depends on the environment: with
 * `NODE_EXTRA_CA_CERTS` set, as in shells behind a company's proxy, Node parses the certificates of
 * that file before it runs anything.
 */
import { known } from "../../src/Cli/Services.js"

export interface Environment {
  readonly name: string
  readonly variables: NodeJS.ProcessEnv
}

/** What would change the work: settings of Node and of npm, and whatever Holter is configured by. */
const changesTheWork = (name: string): boolean =>
  /^(NODE_OPTIONS$|NODE_V8_COVERAGE$|npm_|HOLTER_)/.test(name) ||
  known.some(({ variables }) =>
    Object.values(variables).some((variable) => name === variable || name === `${variable}_FILE`)
  )

/** As the shell has it that the benchmark was started from. */
const shell = (home: string): Environment => ({
  name: "shell",
  variables: {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !changesTheWork(name))),
    HOME: home
  }
})

/** As in a container, or in the unit of a service. */
const bare = (home: string): Environment => ({
  name: "bare",
  variables: { PATH: process.env["PATH"], HOME: home }
})

export const environments = (home: string): ReadonlyArray<Environment> => [shell(home), bare(home)]

export const note = `shell: the environment that this benchmark was started from, ${
  process.env["NODE_EXTRA_CA_CERTS"] === undefined
    ? "which has no NODE_EXTRA_CA_CERTS: run it where that is set to compare with the plan's figures"
    : "with NODE_EXTRA_CA_CERTS, as where the limits were set; bare: PATH and HOME only"
}`
