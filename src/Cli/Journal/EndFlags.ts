/**
 * `--for` and `--until`: when what somebody starts by hand ends by itself.
 */
import * as CliOptions from "@effect/cli/Options"
import { DateTime, type Duration, Effect, Option } from "effect"
import { UsageError } from "../ConfigurationError.js"
import * as SpanText from "../../Common/SpanText.js"
import * as TimeText from "./TimeText.js"

export interface EndFlags {
  readonly for: Option.Option<string>
  readonly until: Option.Option<string>
}

export const endFlags = {
  for: CliOptions.text("for").pipe(
    CliOptions.withDescription(`How long: ${SpanText.forms}`),
    CliOptions.optional
  ),
  until: CliOptions.text("until").pipe(
    CliOptions.withDescription(`Until when: ${TimeText.futureForms}`),
    CliOptions.optional
  )
}

interface Asked {
  readonly now: DateTime.Utc
  readonly zone: DateTime.TimeZone
  /** The span where neither flag is there. */
  readonly otherwise?: Duration.DurationInput
}

/** In milliseconds of the wall clock. */
export const endOf = (
  command: string,
  flags: EndFlags,
  { now, otherwise, zone }: Asked
): Effect.Effect<number, UsageError> => {
  const after = (span: Duration.DurationInput) => DateTime.addDuration(now, span).epochMillis
  const wrong = (flag: string, expected: string, found: string) =>
    new UsageError({ flag, expected, found })
  const { for: span, until } = flags
  if (Option.isSome(span) && Option.isSome(until)) {
    return wrong(command, "--for SPAN or --until TIME", "both")
  }
  if (Option.isSome(span)) {
    return Option.match(TimeText.span(span.value), {
      onNone: () => wrong("--for", SpanText.forms, JSON.stringify(span.value)),
      onSome: (found) => Effect.succeed(after(found))
    })
  }
  if (Option.isSome(until)) {
    return Option.match(TimeText.future(until.value, now, zone), {
      onNone: () => wrong("--until", TimeText.futureForms, JSON.stringify(until.value)),
      onSome: (found) => Effect.succeed(found.epochMillis)
    })
  }
  return otherwise === undefined
    ? wrong(command, "--for SPAN or --until TIME", "neither")
    : Effect.succeed(after(otherwise))
}
