/**
 * Alerts to a command of the operator's: a program and its arguments, without a shell. It gets the
 * alert as JSON on its standard input and its main parts as variables.
 *
 * | exit code | what is done |
 * | --- | --- |
 * | 0 | taken |
 * | 78 (EX_CONFIG) | disabled: it says that it can never work like this |
 * | any other, 75 (EX_TEMPFAIL) among them, a signal, or none in time | tried again |
 */
import { Duration, Effect, Layer, Option, Redacted, Schema } from "effect"
import type { Alert } from "../Alert/Alert.js"
import * as AlertChannel from "../Alert/AlertChannel.js"
import { AlertChannelError } from "../Alert/AlertChannelError.js"
import * as AlertDocument from "../Alert/AlertDocument.js"
import { joined } from "../Common/Sentences.js"
import * as Excerpt from "../Common/Excerpt.js"
import * as Text from "../Common/Text.js"
import * as ConfigField from "../Plugin/ConfigField.js"
import * as Process from "./Command/Process.js"
import { namedSecrets } from "./shared/NamedSecrets.js"

const word = Schema.String.pipe(
  Schema.filter((text) => text !== "" && !text.includes("\0"), {
    description: "a string that is not empty"
  })
)

const command = Schema.NonEmptyArray(word).annotations({
  description:
    'the program and its arguments, as a list such as ["/usr/local/bin/page", "--team", "ops"]; no shell reads it, and no secret belongs there',
  jsonSchema: {
    description:
      'the program and its arguments, as a list such as ["/usr/local/bin/page", "--team", "ops"]; no shell reads it, and no secret belongs there',
    type: "array",
    items: { type: "string" },
    minItems: 1
  }
})

const env = namedSecrets({
  name: "the name of a variable: letters, digits and _, no digit first",
  is: (name) => /^[A-Za-z_]\w*$/.test(name),
  description: "more variables for the command, secrets among them: values by names"
})

export const Command = AlertChannel.make("command", {
  description: "Runs a program that gets the alert as JSON on its standard input",
  config: {
    command,
    env: Schema.optional(env),
    timeout: ConfigField.withDefault(
      ConfigField.duration.annotations({
        description: "how long it may run; then it is ended, with all that it started"
      }),
      "10 seconds"
    )
  },
  // The command's own limit comes first, with the time to end: then there is something to say of it.
  timeout: ({ timeout }) => Duration.sum(timeout, "5 seconds"),
  send: (alert, config, name, installation) =>
    Process.run({
      command: config.command,
      env: { ...variables(alert, installation), ...revealed(config.env ?? {}) },
      input: `${JSON.stringify(AlertDocument.make(alert, installation))}\n`
    }).pipe(
      Effect.timeoutOption(config.timeout),
      Effect.mapError(({ code }) => notStarted(config.command[0], code, name)),
      Effect.flatMap(
        Option.match({
          onNone: () =>
            failed(name, "Transient", `longer than ${Duration.format(config.timeout)}`, true),
          onSome: (ended) => judge(ended, name)
        })
      )
    ),
  services: () => Layer.empty
})

/** Longer values make a program that cannot be started; the whole is on standard input. */
const longestVariable = 32_768

const variables = (
  alert: Alert,
  installation: string | undefined
): Readonly<Record<string, string>> => {
  const { channel, key, kind, services, severity, text, timestamp, title } = AlertDocument.make(
    alert,
    installation
  )
  const [root] = services
  const all = {
    HOLTER_NAME: installation ?? "",
    HOLTER_ALERT_KEY: key,
    HOLTER_ALERT_CHANNEL: channel,
    HOLTER_ALERT_KIND: kind,
    HOLTER_ALERT_SEVERITY: severity,
    HOLTER_ALERT_TIME: timestamp,
    HOLTER_ALERT_SERVICES: services.map(({ service }) => service).join(","),
    HOLTER_ALERT_LABEL: root?.label ?? "",
    HOLTER_ALERT_LINK: root?.link ?? "",
    HOLTER_ALERT_RUNBOOK: root?.runbook ?? "",
    HOLTER_ALERT_TITLE: title,
    HOLTER_ALERT_TEXT: text
  }
  return Object.fromEntries(
    Object.entries(all).map(([name, value]) => [
      name,
      Text.head(Text.wellFormed(value), longestVariable)
    ])
  )
}

const revealed = (all: Readonly<Record<string, Redacted.Redacted<string>>>) =>
  Object.fromEntries(Object.entries(all).map(([name, value]) => [name, Redacted.value(value)]))

const judge = (
  { code, output, signal }: Process.Ended,
  channel: string
): Effect.Effect<void, AlertChannelError> => {
  if (code === 0) return Effect.void
  const how = code === null ? `an end by ${signal ?? "a signal"}` : `exit code ${code}`
  return Effect.flatMap(Excerpt.currentEnd(output, longestWords), (words) => {
    const found = words === "" ? how : `${how}: ${words}`
    return code === notLikeThis
      ? failed(
          channel,
          "Misconfigured",
          joined(found, ";", "the command says that its configuration is wrong")
        )
      : // A command that was ended may have sent it; one that says no has not.
        failed(channel, "Transient", found, code === null)
  })
}

const longestWords = 300

/** EX_CONFIG of sysexits.h. */
const notLikeThis = 78

const failed = (
  channel: string,
  reason: AlertChannelError["reason"],
  found: string,
  unclear = false
): Effect.Effect<never, AlertChannelError> =>
  new AlertChannelError({
    reason,
    channel,
    problem: `expected the command to end with exit code 0, found ${found}`,
    ...(unclear ? { unclear } : {})
  })

const notStarted = (program: string, code: string, channel: string): AlertChannelError =>
  new AlertChannelError({
    // The machine is out of something, which passes; a program that is not there does not come.
    reason:
      code === "EAGAIN" || code === "ENOMEM" || code === "EMFILE" ? "Transient" : "Misconfigured",
    channel,
    problem: `expected a program that can be started, found ${JSON.stringify(program)} (${code}); give its absolute path, and look whether it may be executed`
  })
